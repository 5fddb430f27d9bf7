"""The words of the page: one flat JSON file a language, and how numbers are written in it."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from importlib import resources
from typing import Any

from evenray.core.errors import unknown_name

__all__ = ["LANGUAGES", "Language"]

LANGUAGES = ("en", "ko")
NONE = "–"
# Korean particles by the word before them: as a text writes both, after a final consonant, and after none.
PARTICLES = {"(이)라고": ("이라고", "라고"), "(으)로": ("으로", "로"), "와(과)": ("과", "와")}
FINAL_L, FINAL, OPEN = "178lL", "0136780lmnLMN", "2459aiouyAIOUY"  # 1 is read 일, a word in n ends in ㄴ


@cache
def _sentences(code: str) -> list[tuple[re.Pattern[str], str]]:
    """Sentences of other modules' artefacts by their English text, with {0}, {1}, ... for what varies in them."""
    file = resources.files("evenray.report") / "locales" / f"sentences.{code}.json"
    pairs: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return [(re.compile(_pattern(english), re.DOTALL), translation) for english, translation in pairs.items()]


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


def _pattern(english: str) -> str:
    pieces = re.split(r"\{\d+\}", english)
    return "(.+?)".join(re.escape(piece) for piece in pieces)


class Language:
    """Looks a text up by key and fills in its values; `Language("ko")` is Korean.

    >>> say = Language("en")
    >>> say.percent(0.9231), say.number(0.5), say.number(None), say.count(12345), say.duration(192)
    ('92.3 %', '0.500', '–', '12,345', '3 min 12 s')
    >>> Language("ko").duration(192)
    '3분 12초'
    """

    def __init__(self, code: str) -> None:
        if code not in LANGUAGES:
            raise unknown_name("language", code, LANGUAGES)
        self.code = code
        file = resources.files("evenray.report") / "locales" / f"{code}.json"
        self.texts: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        self.sentences = [] if code == "en" else _sentences(code)

    def __call__(self, key: str, **values: Any) -> str:
        """The text of `key`, its {names} replaced; a key that is not in the file raises KeyError."""
        text = self.texts[key].format(**values)
        return _agreed(text) if self.code == "ko" else text

    def sentence(self, text: str) -> tuple[str, bool]:
        """A sentence that stands in English in an artefact, and whether the page's language has it.

        >>> Language("ko").sentence("about 1200 steps of 32 images ('standard')")
        ("32장씩 약 1200단계('standard')", True)
        >>> Language("ko").sentence("nobody has translated this")
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

    def name(self, group: str, key: str) -> str:
        """The name of something that a plug-in may have added: the file's word for it, else the key itself."""
        return self.texts.get(f"{group}.{key}", key.replace("_", " "))

    def number(self, value: float | None, digits: int = 3) -> str:
        return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"

    def brief(self, value: float | None) -> str:
        """Three significant digits, as a threshold needs when its class is rare."""
        return NONE if value is None or not math.isfinite(value) else f"{value:.3g}"

    def signed(self, value: float | None, digits: int = 3) -> str:
        """A difference, with its sign.

        >>> Language("en").signed(-0.0312)
        '−0.031'
        """
        return NONE if value is None or not math.isfinite(value) else f"{value:+.{digits}f}".replace("-", "−")

    def percent(self, share: float | None, digits: int = 1) -> str:
        if share is None or not math.isfinite(share):
            return NONE
        return self("format.percent", value=f"{100 * share:.{digits}f}")

    def count(self, value: float) -> str:
        return f"{int(value):,}"

    def interval(self, low: float | None, high: float | None, digits: int = 3) -> str:
        return self("format.interval", low=self.number(low, digits), high=self.number(high, digits))

    def duration(self, seconds: float) -> str:
        if seconds < 60:
            return self("format.seconds", seconds=f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}")
        minutes, rest = divmod(round(seconds), 60)
        if minutes < 60:
            return self("format.minutes", minutes=minutes, seconds=rest)
        return self("format.hours", hours=minutes // 60, minutes=minutes % 60)

    def value(self, value: Any) -> str:
        """Any setting as a person would type it.

        >>> say = Language("en")
        >>> say.value(True), say.value(None), say.value([1, 2]), say.value(0.1)
        ('yes', '–', '1, 2', '0.1')
        """
        if value is None or value == "":
            return NONE
        if isinstance(value, bool):
            return self("format.yes" if value else "format.no")
        if isinstance(value, float):
            return f"{value:.4g}"
        if isinstance(value, dict):
            return ", ".join(f"{key} = {self.value(item)}" for key, item in value.items()) or NONE
        if isinstance(value, (list, tuple)):
            return ", ".join(self.value(item) for item in value) or NONE
        return str(value)
