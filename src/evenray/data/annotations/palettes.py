"""Whether the numbers of palettes mean something or their colours, told from all masks of a data set together."""

from __future__ import annotations

import polars as pl

from .mask_pixels import COLOURED
from .mask_values import GREY, MOST_CLASSES

__all__ = ["PALETTES", "with_palettes"]

PALETTES = pl.List(pl.Struct({"number": pl.Int64, "colour": pl.Int64, "pixels": pl.Int64}))


def with_palettes(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without the column `mask_coloured`, which has what is kept of an image's masks where colours count, and with that in
    the place of what numbers say where they mean nothing: a program that makes a palette for one file numbers it as it likes."""
    if "mask_coloured" in rows.columns and not _are_numbers(rows):
        coloured = pl.col("mask_coloured")
        names = [each.name for each in rows.schema["mask_coloured"].fields]  # type: ignore[attr-defined]
        rows = rows.with_columns(
            pl.when(coloured.is_not_null()).then(coloured.struct.field(name)).otherwise(pl.col(name)).alias(name)
            for name in names
        )
    return rows.drop("mask_palettes", "mask_coloured", strict=False)


def _are_numbers(rows: pl.DataFrame) -> bool:
    """Whether each number has one colour in all masks, and 0 is the background: black, or where nothing is black the most frequent."""
    own = rows.filter(pl.col("mask_palettes").is_not_null())
    if own["mask_coloured"].is_null().any():  # one colour for several numbers was made for nobody's eye
        return True
    met = own["mask_palettes"].explode().struct.unnest()
    pixels = dict(met.group_by("number").agg(pl.sum("pixels")).iter_rows())
    several = met["number"].n_unique() < met.select("number", "colour").n_unique()
    if several:  # as many colours can be no classes
        return met["colour"].n_unique() > MOST_CLASSES
    colours = dict(met.select("number", "colour").unique().sort("number").iter_rows())
    if any(colour == 0 and number > 0 for number, colour in colours.items()):
        return False
    if all(
        colour % GREY == 0 for colour in colours.values()
    ):  # in the order of classes, where more than black and white
        levels = list(colours.values())
        return len(levels) > 2 and levels == sorted(levels) and levels[0] == 0
    others = rows.filter(pl.col("mask_palettes").is_null())["mask_values"].explode().struct.field("value")
    if (others > COLOURED).any():
        return False
    return bool(colours.get(0, 0) == 0 or pixels[0] == max(pixels.values()))
