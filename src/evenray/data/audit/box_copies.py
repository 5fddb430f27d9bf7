"""One object marked twice: boxes of one class that are nearly the same."""

from __future__ import annotations

import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import warn
from ._marks import boxes_of

__all__ = ["box_copies"]

SAME = 0.9  # intersection over union from which two boxes of a class are one


def box_copies(dataset: Dataset) -> list[Finding]:
    """Images with two boxes of one class over each other: a detector that is right once is counted wrong once."""
    if "boxes" not in dataset.cases.columns:
        return []
    copies = np.zeros(len(dataset))
    for (row, *_), own in boxes_of(dataset.cases).group_by("row", "class", maintain_order=True):
        if own.height > 1:
            copies[int(row)] += _copies(own.select("x0", "y0", "x1", "y1").to_numpy())
    return warn("box_copies", dataset.cases, copies > 0, copies, boxes=int(copies.sum()))


def _copies(boxes_M4: np.ndarray) -> int:
    """How many boxes have one like them before them."""
    low, high = np.maximum(boxes_M4[:, None, :2], boxes_M4[:, :2]), np.minimum(boxes_M4[:, None, 2:], boxes_M4[:, 2:])
    inner_MM = (high - low).clip(0).prod(axis=2)
    area_M = (boxes_M4[:, 2:] - boxes_M4[:, :2]).clip(0).prod(axis=1)
    union_MM = area_M[:, None] + area_M - inner_MM
    same_MM = inner_MM >= SAME * np.maximum(union_MM, 1e-9)
    return int((np.tril(same_MM, -1).any(axis=1) & (area_M > 0)).sum())
