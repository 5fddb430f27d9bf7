"""Blank images: nothing to see at any contrast."""

from __future__ import annotations

import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import numbers, warn

__all__ = ["blank"]

NEARLY = 0.01  # standard deviation as a share of the grey range; a faint radiograph has some 0.03


def blank(dataset: Dataset) -> list[Finding]:
    """Images whose grey levels hardly vary, or vary only in a few specks (98 % of the pixels within two levels of 255).

    A faint image that uses a hundred levels or more is not blank: it needs a declared range (see levels_undeclared).
    """
    cases = dataset.cases
    spread, range_98 = numbers(cases, "std"), numbers(cases, "p99") - numbers(cases, "p1")
    few_levels = numbers(cases, "levels_used") < 100
    no_pixel = numbers(cases, "missing") >= 1
    found = ((spread < NEARLY) | (range_98 <= 2 / 255)) & few_levels | no_pixel
    return warn("blank", cases, found, -np.nan_to_num(spread), largest_spread=spread[found].max(initial=0))
