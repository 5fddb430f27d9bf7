"""What people read, in every language: flat JSON files in evenray/locales, one folder a language; and Korean particles."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import resources
from math import isnan
from typing import Any

from .errors import unknown_name
from .messages import Message
from .numbers import claimed, decimals
from .plugins import texts

__all__ = ["LANGUAGES", "Texts"]

LANGUAGES = ("en", "ko")
# Korean particles by the word before them: as a text writes both, after a final consonant, and after none.
PARTICLES = {
    "(이)라고": ("이라고", "라고"), "(으)로": ("으로", "로"), "와(과)": ("과", "와"), "을(를)": ("을", "를"), "은(는)": ("은", "는"),
}  # fmt: skip
LONGEST = 4000  # characters of a reason that is looked up
FINAL_L, FINAL, OPEN = "178lL", "0136780lmnLMN", "2459aiouyAIOUY"  # 1 is read 일, a word in n ends in ㄴ


class _Formatter(string.Formatter):
    """Knows three formats more: {x:p} for a p-value and {x:chance} for a share, neither ever rounded to 0, and {x:n file/files}
    for a count with its noun."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "p":
            return claimed(value)
        if format_spec == "chance":
            return f"{decimals(100 * value, 1, top=100)}%"
        if format_spec.startswith("n "):
            one, many = format_spec[2:].split("/")
            return f"{value} {one if str(value) == '1' else many}"
        return str(super().format_field(value, format_spec))


class Texts:
    """Looks a text up by its key and fills in its values, in one language.

    >>> Texts("ko")("sheet.note", images=3, method="gamma(2)", shown=1)
    '영상 3장에 gamma(2) 방법을 적용했습니다. 이 페이지에는 1장을 실었습니다.'

    A text may ask for a p-value by {p:p}, which gives = 0.021 or < 0.001, for a share that is not rounded to 0 by
    {share:chance}, and for a count with its noun by {files:n file/files}.

    >>> Texts("en")("explain.done", count=3, files=1, folder="out")
    '3 overlays of 1 file in out'
    """

    def __init__(self, code: str) -> None:
        if code not in LANGUAGES:
            raise unknown_name("language", code, LANGUAGES)
        self.code = code
        self.texts = _read(code)

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text of `key`, its {names} replaced; a key that is in no file raises KeyError."""
        text = _Formatter().vformat(self.texts[key], (), values)
        return _agreed(text) if self.code == "ko" else text

    def message(self, message: Message) -> str:
        """The sentence of a message; one whose code is in no file (a plug-in's) is told by its code and values.

        Where a value named `count` is 1, the text of CODE.one is taken if there is one; where a value is named `variant`,
        that of CODE.VARIANT. Values that are messages or codes (see `word`) are put into words first, and lists are joined
        by commas.

        >>> Texts("en").message(Message("theirs.odd", {"cases": 3, "sites": ["A", "B"]}))
        'theirs.odd: cases 3, sites A, B'
        """
        values = {name: self._told(name, value) for name, value in message.values.items()}
        variant = values.pop("variant", "")
        names = [variant] if variant else ["one"] if values.get("count") == 1 else []
        for key in (*(f"{message.code}.{name}" for name in names), message.code):
            if key in self.texts:
                with suppress(
                    KeyError, IndexError, ValueError, TypeError, AttributeError
                ):  # values that are not the text's
                    return self(key, **values)
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        return f"{message.code}: {told}" if told else message.code

    def reason(self, text: str) -> str:
        """What the library itself says of a file, a spec or a setting, which is English, in this language; as it is where it is
        none of reasons.json.

        >>> Texts("ko").reason("the pixel data ends after 12 of 512 bytes; the file is truncated")
        '화소 데이터가 512바이트 중 12바이트에서 끝납니다. 파일이 잘렸습니다'
        """
        if self.code == "en" or len(text) > LONGEST:
            return text
        for key, words, names in _reasons():
            if (values := _between(words, text)) is not None:
                return self(key, **{name: self.reason(value) for name, value in zip(names, values, strict=True)})
        return text

    def word(self, name: str, value: str) -> str:
        """The word for a value that is a code, by the value's name; any other text is its own word.

        >>> Texts("en").word("part", "train"), Texts("en").word("part", "fold 3")
        ('training', 'fold 3')
        """
        return self.texts.get(f"value.{name}.{value}", value)

    def counts(self, of: Mapping[str, int]) -> str:
        """Classes with their counts; where some are called by numbers, so that these are not taken for counts.

        >>> Texts("en").counts({"cat": 3, "dog": 1200}), Texts("en").counts({"1": 21, "2": 27})
        ('cat 3, dog 1,200', 'class 1: 21, class 2: 27')
        """
        numbers = any(name.isdecimal() for name in of)
        told = (
            self("counts.class", name=name, count=f"{n:,}") if numbers else f"{name} {n:,}" for name, n in of.items()
        )
        return ", ".join(told)

    def _told(self, name: str, value: Any) -> Any:
        if isinstance(value, Message):
            return self.message(value)
        if isinstance(value, str):
            return self.word(name, value)
        if isinstance(value, list | tuple):
            return ", ".join(str(self._told(name, item)) for item in value)
        if isinstance(value, Mapping):
            if {"value", "low", "high", "baseline"} <= set(value):  # an estimate
                return self._estimate(value)
            if name == "classes":
                return self.counts(value)
            return ", ".join(f"{self.word(name, key)} {self._told(name, item)}" for key, item in value.items())
        return value

    def _estimate(self, figure: Mapping[str, Any]) -> str:
        """`against` says what the baseline does: that of the majority class, of masks or of boxes."""
        against, numbers = figure.get("against", "majority"), {n: v for n, v in figure.items() if n != "against"}
        known = {name: decimals(value) for name, value in numbers.items() if value is not None and not isnan(value)}
        told = {name: known.get(name, self("format.undefined")) for name in numbers}
        told["against"] = self.word("against", against)
        return self(
            "format.estimate" if {"low", "high"} <= known.keys() else "format.estimate_without_interval", **told
        )


@cache
def _read(code: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((resources.files("evenray") / "locales" / code).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            found |= json.loads(file.read_text(encoding="utf-8"))
    return texts(code) | found


@cache
def _reasons() -> list[tuple[str, list[str], list[str]]]:
    """What the library says in English: key, the words around its values, and their names; those that say most first."""
    parts = {key: re.split(r"\{(\w+)\}", text) for key, text in _read("en").items() if key.startswith("reason.")}
    found = [(key, each[::2], each[1::2]) for key, each in parts.items()]
    return sorted(found, key=lambda each: -sum(map(len, each[1])))


def _between(words: list[str], text: str) -> list[str] | None:
    """What stands between words that begin a text, follow one another and end it; None where they do not. A pattern would try
    every way to part a text, which somebody may have written for that.

    >>> _between(["", " of ", " bytes"], "3 of 4 bytes"), _between(["all"], "all"), _between(["a", "a"], "a")
    (['3', '4'], [], None)
    """
    if len(words) == 1:
        return [] if text == words[0] else None
    at, end, found = len(words[0]), len(text) - len(words[-1]), list[str]()
    if at > end or not text.startswith(words[0]) or not text.endswith(words[-1]):
        return None
    for word in words[1:-1]:
        place = text.find(word, at, end)
        if place < 0:
            return None
        found.append(text[at:place])
        at = place + len(word)
    return [*found, text[at:end]]


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
