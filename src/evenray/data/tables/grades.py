"""Classes that are grades: their order, and whether labels look as if they had one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from evenray.core.errors import UsageError

__all__ = ["grades", "look_ordered"]

SCALES = (
    ("none", "no", "normal", "negative", "absent", "healthy", "no dr", "정상", "없음"),
    ("minimal", "doubtful", "trace", "very mild", "very low", "의심"),
    ("mild", "low", "early", "small", "경증", "경도", "초기"),
    ("moderate", "medium", "intermediate", "중등도", "중등증"),
    ("severe", "high", "advanced", "late", "large", "중증", "고도", "진행"),
    ("very severe", "critical", "proliferative", "proliferative dr", "very high", "end stage", "말기"),
)
RANK = {word: float(rank) for rank, words in enumerate(SCALES) for word in words}
ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
NUMBER = re.compile(r"(?:.*[^\d.])?(\d+(?:\.\d+)?)([a-d])?", re.IGNORECASE)


def grades(classes: Iterable[str]) -> tuple[str, ...]:
    """Classes in their order, the lowest first: by their numbers, Roman ones too, or by the words of a scale.

    UsageError where nothing tells the order.

    >>> grades(["2", "10", "1"]), grades(["Severe", "none", "mild"]), grades(["BI-RADS 4b", "BI-RADS 4a"]), grades(["II", "I"])
    (('1', '2', '10'), ('none', 'mild', 'Severe'), ('BI-RADS 4a', 'BI-RADS 4b'), ('I', 'II'))
    """
    classes = list(classes)
    ranks = {name: _rank(name) for name in classes}
    if None in ranks.values() or len(set(ranks.values())) < len(classes):
        shown = ", ".join(f"'{name}'" for name in classes[:6])
        raise UsageError(
            f"--ordered: the order of the classes {shown} cannot be told; number them, as with"
            " --column 'label=COLUMN:mild=1 mild,severe=2 severe'."
        )
    return tuple(sorted(classes, key=lambda name: ranks[name] or 0.0))


def look_ordered(classes: Iterable[str]) -> bool:
    """Whether labels look like grades: three or more whole numbers in a row from 0 or 1, or words of one scale.

    >>> look_ordered("01234"), look_ordered("01"), look_ordered(["none", "mild", "severe"]), look_ordered(["mel", "nv", "bcc"])
    (True, False, True, False)
    """
    classes = list(classes)
    if len(classes) < 3:
        return False
    if all(name.isdecimal() for name in classes):
        numbers = sorted(int(name) for name in classes)
        return (
            numbers[0] in (0, 1)
            and len(numbers) <= 12
            and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        )
    ranks = [RANK.get(_plain(name)) for name in classes]
    return None not in ranks and len(set(ranks)) == len(classes)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.casefold()).strip()


def _rank(name: str) -> float | None:
    plain = _plain(name)
    if plain in RANK:
        return RANK[plain]
    last = plain.split(" ")[-1]
    if last in ROMAN:
        return float(ROMAN[last])
    found = NUMBER.fullmatch(plain) or re.match(r"(\d+)()", plain)
    return (
        float(found[1]) + ("abcd".index(found[2].lower()) + 1) / 10
        if found and found[2]
        else float(found[1])
        if found
        else None
    )
