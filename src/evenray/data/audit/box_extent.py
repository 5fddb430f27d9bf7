"""Boxes without area, and boxes that reach beyond their image."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset
from evenray.data.annotations.reading import SMALLEST_SIDE

from ._cases import warn
from ._marks import boxes_of

__all__ = ["box_extent"]

BEYOND = 1.0  # pixels that rounding, or counting from 1, may lead outside


def box_extent(dataset: Dataset) -> list[Finding]:
    """Boxes whose corners are equal or in the wrong order, which are not used; and boxes more than a pixel outside, which are cut
    off, or are of another image where nothing of them is inside."""
    cases = dataset.cases
    if "boxes" not in cases.columns:
        return []
    boxes = boxes_of(cases)
    flat = boxes.filter(pl.min_horizontal(pl.col("x1") - pl.col("x0"), pl.col("y1") - pl.col("y0")) <= SMALLEST_SIDE)
    beyond = pl.max_horizontal(
        -pl.col("x0"), -pl.col("y0"), pl.col("x1") - pl.col("columns"), pl.col("y1") - pl.col("rows")
    )
    outside = boxes.with_columns(beyond=beyond).filter(pl.col("beyond") > BEYOND)
    return [
        *_told(dataset, flat.with_columns(beyond=pl.lit(1.0)), "degenerate"),
        *_told(dataset, outside, "", pixels=float(outside["beyond"].to_numpy().max(initial=0))),
    ]


def _told(dataset: Dataset, boxes: pl.DataFrame, variant: str, **evidence: Any) -> list[Finding]:
    badness = np.zeros(len(dataset))
    np.maximum.at(badness, boxes["row"].to_numpy().astype(np.int64), boxes["beyond"].to_numpy())
    return warn("box_extent", dataset.cases, badness > 0, badness, variant, boxes=boxes.height, **evidence)
