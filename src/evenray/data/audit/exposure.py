"""Exposure and contrast: too bright, too dark, too flat, against the declared grey range and against the fellows."""

from __future__ import annotations

import numpy as np

from evenray.core.types import Dataset, Finding

from ._table import numbers, usual, worst_first
from .blank import NEARLY

__all__ = ["low_contrast", "overexposed", "underexposed"]

SATURATED = 0.05  # share of pixels at white, above what is usual, from which detail is lost
DARK = 0.25  # 99 % of the pixels lie below this share of the range
FLAT = 0.15  # 98 % of the pixels lie within this share of the range


def overexposed(dataset: Dataset) -> list[Finding]:
    """Images with over 5 % of their pixels at white, more than is usual in the set by as much."""
    cases = dataset.cases
    white = numbers(cases, "saturated_high")
    found = (white - usual(cases, white) > SATURATED) & (numbers(cases, "std") >= NEARLY)
    if not found.any():
        return []
    return [
        Finding(
            "overexposed",
            "warning",
            "Over-exposed images",
            "What is clipped at white cannot be brought back by any contrast method; check the window and the rescaling "
            "of these files, read them again without a window, or exclude them.",
            worst_first(cases, found, white),
            {"images": int(found.sum()), "largest_white_share": round(float(white[found].max()), 4)},
        )
    ]


def underexposed(dataset: Dataset) -> list[Finding]:
    """Images that leave the upper three quarters of the range empty while the usual image uses over half of it."""
    cases = dataset.cases
    top = numbers(cases, "p99")
    found = (top < DARK) & (usual(cases, top) > 2 * DARK) & (numbers(cases, "std") >= NEARLY)
    if not found.any():
        return []
    return [
        Finding(
            "underexposed",
            "warning",
            "Under-exposed images",
            "Nearly all of their pixels are dark; check that the bit depth and the window are read as for the others, "
            "and compare gamma below 1 or percentile stretching.",
            worst_first(cases, found, -top),
            {"images": int(found.sum()), "lowest_99th_percentile": round(float(top[found].min()), 4)},
        )
    ]


def low_contrast(dataset: Dataset) -> list[Finding]:
    """Images whose grey levels, from the 1st to the 99th percentile, span less than 15 % of the range.

    Where that is the usual image of the set, it is one remark about the whole set.
    """
    cases = dataset.cases
    span = numbers(cases, "p99") - numbers(cases, "p1")
    whole = usual(cases, span) < FLAT
    flat = (span < FLAT) & (numbers(cases, "std") >= NEARLY)
    advice = (
        "Little of the grey range is used; compare contrast methods (percentile, clahe), and check that the declared "
        "range is that of the data."
    )
    found = []
    if (flat & ~whole).any():
        evidence = {"images": int((flat & ~whole).sum()), "narrowest_span": round(float(span[flat & ~whole].min()), 4)}
        order = worst_first(cases, flat & ~whole, -span)
        found.append(Finding("low_contrast", "warning", "Images of low contrast", advice, order, evidence))
    if (flat & whole).any():
        evidence = {"images": int((flat & whole).sum()), "usual_span": round(float(np.median(span[whole])), 4)}
        found.append(Finding("low_contrast", "info", "Most images are of low contrast", advice, (), evidence))
    return found
