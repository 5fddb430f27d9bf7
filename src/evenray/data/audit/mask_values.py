"""Masks with values that mean nothing, such as 127 in a mask of 0 and 255."""

from __future__ import annotations

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import numbers, warn
from ._marks import image_size

__all__ = ["mask_values"]

MOST = 0.5  # of the masks, from which values between are how they were saved, and no mistake of a few


def mask_values(dataset: Dataset) -> list[Finding]:
    """Masks of which some pixels have a value that no class and no background has: of a few masks a warning, where most are so a
    remark."""
    odd = numbers(dataset.cases, "mask_unexpected")
    if not (found := odd > 0).any():
        return []
    share = odd / image_size(dataset.cases)
    many = found.mean() > MOST
    return warn(
        "mask_values", dataset.cases, found, share, "most" if many else "", "info" if many else "warning",
        highest_share=float(share[found].max()),
    )  # fmt: skip
