"""How masks and boxes stand in the table of cases."""

from __future__ import annotations

from typing import TypedDict

import polars as pl

__all__ = ["BACKGROUND", "BOXES", "MASKS", "UNKNOWN_PIXEL", "BoxStruct", "MaskStruct"]

BACKGROUND, UNKNOWN_PIXEL = 0, 255  # of a mask's indices; k + 1 is class k, and unknown pixels count nowhere


class MaskStruct(TypedDict):
    """One of the masks that together, the later over the earlier, are that of an image: a file, relative to the root of the data set,
    or in its place `runs`: pairs of start (from 1) and length, column by column. A pixel takes the index that stands beside the
    nearest of `values`.
    """

    file: str
    fragment: str
    runs: str
    values: list[int] | None  # None until all masks are read, where these tell it
    indices: list[int] | None


# Half-open, in pixels of the image, as the file has it, also where that is wrong; `ignored` are crowds and what is too difficult.
BoxStruct = TypedDict("BoxStruct", {"class": int, "x0": float, "y0": float, "x1": float, "y1": float, "ignored": bool})

MASKS = pl.List(
    pl.Struct({
        "file": pl.String, "fragment": pl.String, "runs": pl.String, "values": pl.List(pl.Int64), "indices": pl.List(pl.UInt8),
    })
)  # fmt: skip
BOXES = pl.List(
    pl.Struct({
        "class": pl.Int64, "x0": pl.Float64, "y0": pl.Float64, "x1": pl.Float64, "y1": pl.Float64, "ignored": pl.Boolean,
    })
)  # fmt: skip
