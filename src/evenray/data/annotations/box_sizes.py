"""Boxes that were drawn in images of another size than those that are there, as in smaller copies of a public set."""

from __future__ import annotations

import polars as pl

from evenray.core.errors import DataError

__all__ = ["check_sizes"]

BEYOND, PIXEL = 0.05, 1.0  # share of a side, and pixels, that a box of an object at the edge may reach beyond its image


def check_sizes(rows: pl.DataFrame) -> None:
    """DataError where most images that have boxes have some far beyond them: then nearly all are in a wrong place, also those that lie
    inside. Of a few images the audit tells."""
    boxes = rows.select("file", "rows", "columns", box="boxes").filter(pl.col("box").list.len() > 0)
    boxes = boxes.with_row_index("image").explode("box").unnest("box").filter(~pl.col("ignored"))
    across, down = (
        pl.col(high) > (1 + BEYOND) * pl.col(side) + PIXEL for high, side in (("x1", "columns"), ("y1", "rows"))
    )
    images = boxes.group_by("image", "file", "rows", "columns").agg(
        pl.col("x1").max(), pl.col("y1").max(), beyond=(across | down).any()
    )
    far = images.filter("beyond").sort(
        pl.max_horizontal(pl.col("x1") / pl.col("columns"), pl.col("y1") / pl.col("rows"))
    )
    if 2 * far.height <= images.height:
        return
    worst = far.row(-1, named=True)
    raise DataError(
        f"{far.height} of the {images.height} images with boxes have boxes that reach far beyond them: those of '{worst['file']}'"
        f" reach to x {worst['x1']:.0f} and y {worst['y1']:.0f}, and it is {worst['columns']} pixels wide and {worst['rows']} high."
        " The boxes are of images of another size; give the images that they were drawn in, or write the boxes in pixels of these"
        " images or as shares of their sides (0 to 1)."
    )
