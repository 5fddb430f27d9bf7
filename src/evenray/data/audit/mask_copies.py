"""One mask for several images: at most one of them is marked by it."""

from __future__ import annotations

import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import grouped

__all__ = ["mask_copies"]


def mask_copies(dataset: Dataset) -> list[Finding]:
    """Images that are not the same and have the same mask, with something in it; masks of the whole image are no copies."""
    cases = dataset.cases
    if "mask_hash" not in cases.columns or "pixel_hash" not in cases.columns:
        return []
    marked = pl.col("mask_pixels").list.sum()
    size = pl.col("rows").cast(pl.Int64) * pl.col("columns")
    some = cases.filter((marked > 0) & (marked < size)).select("case", "mask_hash", "pixel_hash", "file").sort("case")
    # The slices of one volume may well look alike.
    several = (pl.col("pixel_hash").n_unique().over("mask_hash") > 1) & (
        pl.col("file").n_unique().over("mask_hash") > 1
    )
    groups = some.filter(several).partition_by("mask_hash", maintain_order=True)
    return grouped("mask_copies", "warning", [tuple(group["case"]) for group in groups])
