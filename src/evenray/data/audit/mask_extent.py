"""Masks in which nothing is marked, or nearly everything."""

from __future__ import annotations

import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import warn
from ._marks import image_size

__all__ = ["mask_extent"]

FULL = 0.95  # of the pixels; more than that is marked of hardly any image of a lesion or an organ


def mask_extent(dataset: Dataset) -> list[Finding]:
    """Empty masks, a remark: with some measures they count as 0, with others not at all. Nearly full ones, a warning, where most
    masks are not so: they may be the wrong way round. Where one class fills all of them, a warning too: of that nothing is learnt."""
    cases = dataset.cases
    if "mask_pixels" not in cases.columns:
        return []
    marked = cases["mask_pixels"].list.sum().to_numpy() / image_size(cases)
    full = marked >= FULL
    found = warn("mask_extent", cases, marked == 0, np.zeros(len(cases)), "", "info", share=float((marked == 0).mean()))
    if full.mean() <= 0.5:
        return found + warn("mask_extent", cases, full, marked, "full")
    by_one_class = cases["mask_pixels"].list.max().to_numpy() / image_size(cases) >= FULL
    return found + (warn("mask_extent", cases, full, marked, "full_all") if by_one_class.all() else [])
