"""Exposure and contrast: too bright, too dark, too flat, against the declared grey range and against the peers."""

from __future__ import annotations

import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import numbers, typical, warn
from .blank import NEARLY

__all__ = ["low_contrast", "overexposed", "underexposed"]

SATURATED = 0.05  # share of pixels at white, above what is usual, from which detail is lost
DARK = 0.25  # 99 % of the pixels lie below this share of the range
FLAT = 0.15  # 98 % of the pixels lie within this share of the range


def overexposed(dataset: Dataset) -> list[Finding]:
    """Images with over 5 % of their pixels at white, more than is usual in the set by as much."""
    cases = dataset.cases
    white = numbers(cases, "saturated_high")
    found = (white - typical(cases, white) > SATURATED) & (numbers(cases, "std") >= NEARLY)
    return warn("overexposed", cases, found, white, largest_white_share=white[found].max(initial=0))


def underexposed(dataset: Dataset) -> list[Finding]:
    """Images that leave the upper three quarters of the range empty while the usual image uses over half of it."""
    cases = dataset.cases
    top = numbers(cases, "p99")
    found = (top < DARK) & (typical(cases, top) > 2 * DARK) & (numbers(cases, "std") >= NEARLY)
    return warn("underexposed", cases, found, -top, lowest_99th_percentile=top[found].min(initial=1))


def low_contrast(dataset: Dataset) -> list[Finding]:
    """Images whose grey levels, from the 1st to the 99th percentile, span less than 15 % of the range.

    Where that is the usual image of the set, it is one remark about the whole set.
    """
    cases = dataset.cases
    span = numbers(cases, "p99") - numbers(cases, "p1")
    usual = typical(cases, span) < FLAT
    flat = (span < FLAT) & (numbers(cases, "std") >= NEARLY)
    few, most = flat & ~usual, flat & usual
    found = warn("low_contrast", cases, few, -span, narrowest_span=span[few].min(initial=1))
    if most.any():
        evidence = {"images": int(most.sum()), "typical_span": round(float(np.median(span[usual])), 4)}
        found.append(Finding("low_contrast", "info", evidence=evidence, variant="most"))
    return found
