"""Ages as tables write them: years, months, weeks, days; with a point or a comma."""

from __future__ import annotations

import re

from evenray.metrics import bands

__all__ = ["OLDEST", "age_band", "age_of"]

OLDEST = 130
AGE = re.compile(
    r"(\d{1,4}(?:[.,]\d+)?)\s*(?:(y|yo|yrs?|years?(?: old)?|세|살)|(m|mo|mon|months?|개월)|(w|wk|weeks?|주)|(d|days?|일))?",
    re.IGNORECASE,
)
YEARS = (1.0, 1.0, 1 / 12, 1 / 52.18, 1 / 365.25)


def age_of(text: str | None) -> float | None:
    """An age in years; None where the text is none, as 411, which nobody reaches.

    >>> age_of("64"), age_of("45,5"), age_of("018M"), age_of("045Y"), age_of("7 months"), age_of("411"), age_of("unknown")
    (64.0, 45.5, 1.5, 45.0, 0.5833333333333333, None, None)
    """
    found = AGE.fullmatch((text or "").strip())
    if not found:
        return None
    unit = next((i for i in (2, 3, 4, 5) if found[i]), 1)
    years = float(found[1].replace(",", ".")) * YEARS[unit - 1]
    return years if years <= OLDEST else None


def age_band(text: str | None) -> str | None:
    """The band that an age lies in, which is all that is kept of it; None where the text is no age.

    >>> age_band("64"), age_band("17.5"), age_band("045Y"), age_band("018M"), age_band("unknown"), age_band(None)
    ('40–65', '<18', '40–65', '<18', None, None)
    """
    years = age_of(text)
    return None if years is None else bands([years])[0]
