"""Tolerant look-ups of single attributes of a DICOM header: numbers, an integer, a word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

__all__ = ["integer", "numbers", "text"]

LONGEST = 4096  # bytes of an attribute that is read as numbers or as one word


def value_of(group: Dataset, keyword: str) -> Any:
    """The value of an attribute; None where it is absent, unreadable, or too long to be one number or word."""
    raw: Any = group.get_item(keyword) if keyword in group else None
    if isinstance(raw, RawDataElement) and raw.value is not None and len(raw.value) > LONGEST:
        return None
    try:
        return group.get(keyword)
    except Exception:
        return None


def numbers(groups: Sequence[Dataset], keyword: str) -> list[float]:
    """The finite numbers of an attribute, of the first group that has it; [] where it is absent or unreadable."""
    for group in groups:
        if keyword not in group:
            continue
        value = value_of(group, keyword)
        items = [value] if isinstance(value, str | bytes | int | float) or not hasattr(value, "__iter__") else value
        try:
            found = [float(_decoded(item)) for item in items if item is not None]
        except (TypeError, ValueError):
            return []
        return [number for number in found if math.isfinite(number)]
    return []


def _decoded(item: Any) -> Any:
    """Numbers filed under a wrong VR arrive as bytes: two or four of them are a binary integer, others are text. Some scanners
    write decimal commas."""
    if isinstance(item, bytes):
        if len(item) in (2, 4) and not item.strip().isdigit():
            return int.from_bytes(item, "little")
        item = item.decode()
    return item.replace(",", ".") if isinstance(item, str) else item


def integer(groups: Sequence[Dataset], keyword: str, default: int) -> int:
    """The first number of an attribute as an integer."""
    found = numbers(groups, keyword)
    return int(found[0]) if found else default


def text(groups: Sequence[Dataset], keyword: str) -> str:
    """The first value of an attribute as stripped text, "" where it is absent or unreadable."""
    for group in groups:
        if keyword in group:
            value = value_of(group, keyword)
            if isinstance(value, bytes):
                value = value.decode("ascii", "replace")
            elif not isinstance(value, str | PersonName) and hasattr(value, "__iter__") and len(value):
                value = next(iter(value))
            return str(value).strip(" \0") if value is not None else ""
    return ""
