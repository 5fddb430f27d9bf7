"""What the checks of masks and boxes share: boxes as arrays, and what an image is annotated with, to compare copies."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["boxes_of", "image_size", "signatures"]


def boxes_of(cases: pl.DataFrame) -> pl.DataFrame:
    """One row a box that counts: `row` of its case, class, x0, y0, x1, y1, and rows and columns of the image.

    >>> box = {"class": 0, "x0": 1.0, "y0": 1.0, "x1": 2.0, "y1": 3.0, "ignored": False}
    >>> table = pl.DataFrame({"rows": [4, 4], "columns": [5, 5], "boxes": [[], [box, box | {"ignored": True}]]})
    >>> boxes_of(table).select("row", "class", "x1").rows()
    [(1, 0, 2.0)]
    """
    rows = cases.select("rows", "columns", "boxes").with_row_index("row")
    return rows.explode("boxes").drop_nulls("boxes").unnest("boxes").filter(~pl.col("ignored")).drop("ignored")


def image_size(cases: pl.DataFrame) -> NDArray[np.float64]:
    """How many pixels each image has, float64 (cases,); those of its mask are counted among them."""
    return cases.select(pl.col("rows").cast(pl.Float64) * pl.col("columns")).to_series().to_numpy()


def signatures(cases: pl.DataFrame) -> pl.Series:
    """A text for each case that is the same where two are annotated the same."""
    if "mask_hash" in cases.columns:
        return cases["mask_hash"]
    kept = [sorted(tuple(box.values()) for box in boxes or ()) for boxes in cases["boxes"].to_list()]
    return pl.Series("signature", [repr(one) for one in kept])
