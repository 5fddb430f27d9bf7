"""The words of the report: its texts, and how numbers are written in each language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evenray.core.numbers import brief, decimals, probability, signed
from evenray.core.texts import LANGUAGES, Texts

__all__ = ["LANGUAGES", "Language"]

NONE = "–"


class Language(Texts):
    """The texts of the report, and its numbers; `Language("ko")` is Korean.

    >>> say = Language("en")
    >>> say.percent(0.9231), say.number(0.5), say.number(None), say.count(12345), say.duration(192)
    ('92.3 %', '0.500', '–', '12,345', '3 min 12 s')
    >>> Language("ko").duration(192)
    '3분 12초'
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)

    def name(self, group: str, key: str) -> str:
        """The name of something that a plug-in may have added: the file's word for it, else the key itself."""
        return self.texts.get(f"{group}.{key}", key.replace("_", " "))

    def number(self, value: float | None, digits: int = 3, top: float = 1) -> str:
        """Decimals that never round up to `top`, or down to 0.

        >>> Language("en").interval(0.9982, 0.99994)
        '0.998 to >0.999'
        """
        return NONE if value is None or not math.isfinite(value) else decimals(value, digits, top).replace("-", "−")

    def brief(self, value: float | None) -> str:
        """Three significant digits, as a threshold needs when its class is rare."""
        return NONE if value is None or not math.isfinite(value) else brief(value)

    def p(self, value: float | None) -> str:
        """A p-value, as a cell of a table has it."""
        return probability(value) or NONE

    def signed(self, value: float | None, digits: int = 3) -> str:
        """A difference, with its sign.

        >>> Language("en").signed(-0.0312)
        '−0.031'
        """
        return NONE if value is None or not math.isfinite(value) else signed(value, digits).replace("-", "−")

    def percent(self, share: float | None, digits: int = 1) -> str:
        if share is None or not math.isfinite(share):
            return NONE
        return self("format.percent", value=decimals(100 * share, digits, top=100))

    def shares(self, prevalence: Mapping[str, float]) -> str:
        """How frequent each class is, to two decimals where it takes them.

        >>> Language("en").shares({"healthy": 0.9975, "sick": 0.0025}), Language("ko").shares({"a": 0.9, "b": 0.1})
        ('healthy 99.75 %; sick 0.25 %', 'a 90%; b 10%')
        """
        values = {name: decimals(100 * share, 2, top=100) for name, share in prevalence.items()}
        plain = {name: value if value[0] in "<>" else value.rstrip("0").rstrip(".") for name, value in values.items()}
        return "; ".join(f"{name} {self('format.percent', value=value)}" for name, value in plain.items())

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
