"""How masks and boxes stand in the table of cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import polars as pl

__all__ = [
    "BACKGROUND",
    "BOXES",
    "MASKS",
    "MOST_CLASSES",
    "OUTSIDE_PIXEL",
    "UNKNOWN_PIXEL",
    "BoxStruct",
    "MaskStruct",
    "with_classes",
]

# Of a mask's indices; k + 1 is class k. Unknown pixels are neither learnt from nor counted. Those outside, where a square reaches
# beyond its image, are learnt as background, so that no class is marked along the image's edge, and not counted.
BACKGROUND, OUTSIDE_PIXEL, UNKNOWN_PIXEL = 0, 254, 255
MOST_CLASSES = OUTSIDE_PIXEL - 1  # of masks; the next one's index would mean something else


class MaskStruct(TypedDict):
    """One of the masks that together, the later over the earlier, are that of an image: a file, relative to the root of the data set,
    or in its place `runs`: pairs of start (from 1) and length, column by column, or row by row after the word "rows", in an image of
    `rows` and `columns`. A pixel takes the index that stands beside the nearest of `values`.
    """

    file: str
    fragment: str
    runs: str
    values: list[int] | None  # None until all masks are read, where these tell it
    indices: list[int] | None
    rows: int | None  # None where the annotation does not say: those of the image
    columns: int | None
    coloured: bool | None  # whether it is the colours of a palette that mean something, and not their numbers


# Half-open, in pixels of the image, as the file has it, also where that is wrong; `ignored` are crowds and what is too difficult.
BoxStruct = TypedDict("BoxStruct", {"class": int, "x0": float, "y0": float, "x1": float, "y1": float, "ignored": bool})

MASKS = pl.List(
    pl.Struct({
        "file": pl.String, "fragment": pl.String, "runs": pl.String, "values": pl.List(pl.Int64), "indices": pl.List(pl.UInt8),
        "rows": pl.Int32, "columns": pl.Int32, "coloured": pl.Boolean,
    })
)  # fmt: skip
BOXES = pl.List(
    pl.Struct({
        "class": pl.Int64, "x0": pl.Float64, "y0": pl.Float64, "x1": pl.Float64, "y1": pl.Float64, "ignored": pl.Boolean,
    })
)  # fmt: skip


def with_classes(cases: pl.DataFrame, old: Sequence[str], new: Sequence[str]) -> pl.DataFrame:
    """Cases whose masks or boxes are of the classes `old`, told in the order of `new`, which has all of them and maybe more; what an
    image was not annotated with is not in it. Several of `old` may be one class of `new`: an image has it that has one of them.

    >>> box = {"class": 0, "x0": 0.0, "y0": 0.0, "x1": 2.0, "y1": 2.0, "ignored": False}
    >>> table = pl.DataFrame({"findings": [[True]], "boxes": [[box]]})
    >>> with_classes(table, ["b"], ["a", "b"]).select("findings", pl.col("boxes").list.first().struct.field("class")).row(0)
    ([False, True], 1)
    """
    place = [new.index(name) for name in old]
    index = {BACKGROUND: BACKGROUND, UNKNOWN_PIXEL: UNKNOWN_PIXEL} | {k + 1: at + 1 for k, at in enumerate(place)}
    found = [_spread(cases["findings"], place, len(new), False)]
    if "mask_pixels" in cases.columns:
        found.append(_spread(cases["mask_pixels"], place, len(new), 0))
    if "masks" in cases.columns:
        masks = [
            None if own is None else [m | {"indices": [index[i] for i in m["indices"]]} for m in own]
            for own in cases["masks"].to_list()
        ]
        found.append(pl.Series("masks", masks, MASKS))
    if "boxes" in cases.columns:
        boxes = [
            None if own is None else [b | {"class": place[b["class"]]} for b in own] for own in cases["boxes"].to_list()
        ]
        found.append(pl.Series("boxes", boxes, BOXES))
    return cases.with_columns(found)


def _spread(lists: pl.Series, place: Sequence[int], length: int, rest: int | bool) -> pl.Series:
    """Lists of a value a class, with `rest` for the classes that there were not; where several become one, whether there is any of
    them, or their sum."""
    found = []
    for own in lists.to_list():
        whole = [rest] * length
        for at, value in zip(place, own, strict=True):
            whole[at] = whole[at] or value if isinstance(rest, bool) else whole[at] + value
        found.append(whole)
    return pl.Series(lists.name, found, lists.dtype)
