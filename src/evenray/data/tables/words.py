"""What the values of a table mean: which words say that a value is missing, and which labels are one class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from evenray.core.errors import DataError

__all__ = ["DATE", "MISSING", "check_labels", "composed", "quoted", "whole_numbers"]

# What R, SAS, pandas, Excel and archives write for a missing value. As they write it: 'none' in small letters is a class of some data.
MISSING = (
    "", "-", "--", "'--", ".", "NA", "N/A", "n/a", "N.A.", "n.a.", "#N/A", "#VALUE!", "#REF!", "#DIV/0!", "<NA>", "NaN", "nan", "-nan",
    "NULL", "null", "None", "NONE", "?", "not reported", "Not Reported", "not available", "Not Available", "[Not Available]",
)  # fmt: skip
DATE = re.compile(
    r"(19|20)\d\d[-/. 년]+(0?[1-9]|1[0-2])([-/. 월]+(0?[1-9]|[12]\d|3[01])\D?)?([ T]\d.*)?"
    r"|(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])|(19|20)\d\d"
    r"|(0?[1-9]|[12]\d|3[01])[-/.](0?[1-9]|[12]\d|3[01])[-/.](\d\d){1,2}( \d.*)?"
)
FRACTIONS = 20  # distinct fractions above which labels are measurements
SIGNS = re.compile(r"[\s(]*[?!.,;:*]+[\s)]*$")  # of doubt, or of a hurry
WHOLE = re.compile(r"(-?\d+)(?:\.0+|,00?)?")


def composed(label: str) -> str:
    """A label as it is typed: file systems and zip files may take letters such as those of Hangul apart."""
    return unicodedata.normalize("NFC", label)


def whole_numbers(labels: Iterable[str]) -> dict[str, str]:
    """What each label becomes where all are whole numbers, some written as fractions; nothing where one is not.

    >>> whole_numbers(["0", "1.0", "1"]), whole_numbers(["0.0", "0.5"]), whole_numbers(["a", "1.0"])
    ({'1.0': '1'}, {}, {})
    """
    found = {label: WHOLE.fullmatch(label) for label in labels}
    if not all(found.values()):
        return {}
    return {label: match[1] for label, match in found.items() if match and match[1] != label}


def check_labels(labels: Iterable[str], source: object, place: str = "") -> None:
    """DataError for labels that are measurements, and for classes that differ only by case, spaces or the width of letters
    (full-width ones); `place` is the column or the level of folders that they are from.

    >>> check_labels(["normal", "NORMAL", "sick"], "t.csv", "dx")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    evenray.core.errors.DataError: 't.csv' has the labels 'NORMAL' and 'normal', which differ only by case, width, ...
    """
    labels = sorted(set(labels))
    fractions = [label for label in labels if re.fullmatch(r"-?\d*[.,]\d+(e-?\d+)?", label, re.IGNORECASE)]
    fractions = [label for label in fractions if not WHOLE.fullmatch(label)]
    whole = sorted(int(label) for label in labels if label.isascii() and label.isdecimal())
    counted = whole in (list(range(len(whole))), list(range(1, len(whole) + 1)))  # numbers of classes
    if len(fractions) > FRACTIONS or (len(whole) > FRACTIONS and len(whole) == len(labels) and not counted):
        raise DataError(
            f"The labels of '{source}' look like numbers, not classes: {len(labels)} different ones such as"
            f" {', '.join(fractions[:3] or map(str, whole[:3]))}. A classifier needs classes; give a column of them, or bin the"
            " numbers."
        )
    kinds: dict[str, list[str]] = {}
    for label in labels:
        plain = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
        kinds.setdefault(SIGNS.sub("", plain) or plain, []).append(label)
    if twice := [alike for alike in kinds.values() if len(set(map(composed, alike))) > 1]:
        first, second, *_ = twice[0]
        best = [min(alike, key=lambda label: (len(label), -alike.index(label))) for alike in twice]
        others = [[label for label in alike if label != one] for alike, one in zip(twice, best, strict=True)]
        renamed = ",".join(
            f"{'+'.join(map(quoted, rest))}={quoted(one)}" for rest, one in zip(others, best, strict=True)
        )
        way = f", or say --column 'label={quoted(place)}:{renamed}'" if place else ""
        raise DataError(
            f"'{source}' has the labels '{first}' and '{second}', which differ only by case, width, spaces or signs at their end;"
            f" write each class in one way{way}."
        )


def quoted(name: str) -> str:
    """A name as --column takes it.

    >>> quoted("dx"), quoted("Mass, large")
    ('dx', '"Mass, large"')
    """
    return f'"{name}"' if re.search(r'[,:=+"*]|^\s|\s$', name) else name
