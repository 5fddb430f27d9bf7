"""What people read, in every language: flat JSON files in evenray/locales, one folder a language; and Korean particles."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from .errors import unknown_name
from .messages import Message

__all__ = ["LANGUAGES", "Texts"]

LANGUAGES = ("en", "ko")
# Korean particles by the word before them: as a text writes both, after a final consonant, and after none.
PARTICLES = {"(이)라고": ("이라고", "라고"), "(으)로": ("으로", "로"), "와(과)": ("과", "와")}
FINAL_L, FINAL, OPEN = "178lL", "0136780lmnLMN", "2459aiouyAIOUY"  # 1 is read 일, a word in n ends in ㄴ


class Texts:
    """Looks a text up by its key and fills in its values, in one language.

    >>> Texts("ko")("sheet.note", images=3, method="gamma(2)", shown=1)
    '영상 3장에 gamma(2) 방법을 적용했습니다. 이 페이지에는 1장을 실었습니다.'
    """

    def __init__(self, code: str) -> None:
        if code not in LANGUAGES:
            raise unknown_name("language", code, LANGUAGES)
        self.code = code
        self.texts = _read(code)
        self.sentences = [] if code == "en" else _sentences(code)

    def __call__(self, key: str, **values: Any) -> str:
        """The text of `key`, its {names} replaced; a key that is in no file raises KeyError."""
        text = self.texts[key].format(**values)
        return _agreed(text) if self.code == "ko" else text

    def message(self, message: Message) -> str:
        """The sentence of a message; one whose code is in no file (a plug-in's) is told by its code and values.

        Where `count` is 1, the text of CODE.one is taken if there is one. Values that are messages are told first, and
        lists are joined by commas.

        >>> Texts("en").message(Message("theirs.odd", {"cases": 3, "sites": ["A", "B"]}))
        'theirs.odd: cases 3, sites A, B'
        """
        values = {name: self._told(value) for name, value in message.values.items()}
        one = f"{message.code}.one" if message.values.get("count") == 1 else message.code
        key = one if one in self.texts else message.code
        if key in self.texts:
            return self(key, **values)
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        return f"{message.code}: {told}" if told else message.code

    def _told(self, value: Any) -> Any:
        if isinstance(value, Message):
            return self.message(value)
        if isinstance(value, list | tuple):
            return ", ".join(str(self._told(item)) for item in value)
        if isinstance(value, Mapping):
            return ", ".join(f"{name} {self._told(item)}" for name, item in value.items())
        return value

    def sentence(self, text: str) -> tuple[str, bool]:
        """A sentence that another module made in English, and whether the page's language has it.

        >>> Texts("ko").sentence("about 1200 steps of 32 images ('standard')")
        ("32장씩 약 1200단계('standard')", True)
        >>> Texts("ko").sentence("nobody has translated this")
        ('nobody has translated this', False)
        """
        if self.code == "en":
            return text, True
        for pattern, translation in self.sentences:
            found = pattern.fullmatch(text)
            if found:
                filled = translation.format(*(self.sentence(varying)[0] for varying in found.groups()))
                return _agreed(filled), True
        return text, False


@cache
def _read(code: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((resources.files("evenray") / "locales" / code).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json") and file.name != "sentences.json":
            found |= json.loads(file.read_text(encoding="utf-8"))
    return found


@cache
def _sentences(code: str) -> list[tuple[re.Pattern[str], str]]:
    """Sentences of other modules by their English text, with {0}, {1}, ... for what varies in them."""
    file = resources.files("evenray") / "locales" / code / "sentences.json"
    pairs: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return [(re.compile(_pattern(english), re.DOTALL), translation) for english, translation in pairs.items()]


def _pattern(english: str) -> str:
    pieces = re.split(r"\{\d+\}", english)
    return "(.+?)".join(re.escape(piece) for piece in pieces)


def _agreed(text: str) -> str:
    """Korean text with the one of two particles that the sound before asks for; both stand where nobody can tell it.

    >>> _agreed("‘정상 조직’(이)라고"), _agreed("‘암’(으)로"), _agreed("‘물’(으)로"), _agreed("‘sick’(이)라고")
    ('‘정상 조직’이라고', '‘암’으로', '‘물’로', '‘sick’(이)라고')
    """

    def chosen(found: re.Match[str]) -> str:
        last, closing, both = found.groups()
        after_l = both == "(으)로"
        if "가" <= last <= "힣":
            final = (ord(last) - ord("가")) % 28
            closed = final > 0 and not (after_l and final == 8)
        elif last in FINAL or last in OPEN:
            closed = last in FINAL and not (after_l and last in FINAL_L)
        else:
            return found[0]
        return last + closing + PARTICLES[both][0 if closed else 1]

    return re.sub(rf"(.)([’”'\")\]]*)({'|'.join(map(re.escape, PARTICLES))})", chosen, text)
