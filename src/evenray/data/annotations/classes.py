"""The classes of masks and boxes once all are read: what values mean, how large each class is, and which images have it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError
from evenray.core.marks import BACKGROUND, UNKNOWN_PIXEL
from evenray.core.messages import Message

from .box_sizes import check_sizes
from .class_names import names_of_colours, names_of_values
from .found import Annotations
from .mask_pixels import COLOURED
from .mask_values import GREY, Meaning, meaning_of_values
from .palettes import with_palettes
from .reading import clean_boxes, index_of

__all__ = ["with_classes"]

VALUES = ("mask_values", "mask_lowest")  # of several files the highest of each pixel, and the lowest


def with_classes(rows: pl.DataFrame, annotations: Annotations) -> tuple[pl.DataFrame, tuple[str, ...], list[Message]]:
    """The rows with the column `findings`, which classes an image has; of masks also `mask_pixels` (of each class), `mask_unknown`
    (pixels that count nowhere) and `mask_unexpected` (pixels of a value that means nothing). With the classes, and what is to
    be said of them. DataError where there is none, or where boxes are of images of another size.
    """
    if annotations.task == "detect":
        if not annotations.classes:
            raise DataError(f"No image has a box; look into {', '.join(annotations.files[:3])}.")
        check_sizes(rows)
        seen = [
            None if boxes is None else set(clean_boxes(boxes, (down, across))[:, 0].tolist())
            for boxes, down, across in rows.select("boxes", "rows", "columns").iter_rows()
        ]
        has = {
            str(k): pl.Series([None if own is None else k in own for own in seen], dtype=pl.Boolean)
            for k in range(len(annotations.classes))
        }
        return (
            _with_findings(rows, pl.DataFrame(has)),
            annotations.classes,
            [],
        )
    notes = []
    rows = with_palettes(rows)
    if annotations.classes:
        known = range(len(annotations.classes) + 1)
        meaning = Meaning(annotations.classes, (*known, UNKNOWN_PIXEL), (*known, UNKNOWN_PIXEL), "numbers")
    else:
        if (rows["mask_values"].explode().struct.field("value") > COLOURED).any():
            rows = _in_colours(rows)
        # An image that has no mask says nothing of their values, nor of where white is the background.
        rows = rows.with_columns(pl.when(pl.col("masks").list.len() > 0).then(name).alias(name) for name in VALUES)
        rows, meaning = _meaning(rows, _named_values(rows, annotations))
        meaning, unsure = _named(meaning, annotations)
        notes = [meaning.note, *([unsure] if unsure else [])]
        rows = rows.with_columns(masks=_told(rows["masks"], meaning))
    return _measured(rows, meaning), meaning.classes, notes


def _named_values(rows: pl.DataFrame, annotations: Annotations) -> set[int]:
    """The values to which a list gives names, where it has one for every number of the masks."""
    values = rows["mask_values"].explode().struct.field("value").drop_nulls()
    highest = values.filter(values < UNKNOWN_PIXEL).max()
    lists = [str(path.resolve()) for path in annotations.lists]
    return set(names_of_values(Path("/"), lists, int(highest))[0]) if lists and highest else set()  # type: ignore[arg-type]


def _meaning(rows: pl.DataFrame, named: set[int]) -> tuple[pl.DataFrame, Meaning]:
    """What the values mean, and the rows with those of several files of an image together: where white is the background, a pixel is
    marked that is dark in any of them."""
    dark = rows.with_columns(pl.coalesce("mask_lowest", "mask_values").alias("mask_values"))
    borders = rows.filter(pl.col("mask_values").list.len() > 0)["mask_borders"].explode().to_list()
    inverted = meaning_of_values(_counts(dark), borders, named)
    if inverted.inverted or not rows["mask_lowest"].is_not_null().any():
        return dark, inverted
    return rows, meaning_of_values(_counts(rows), named=named)


def _counts(rows: pl.DataFrame) -> list[list[tuple[int, int]]]:
    return [[(each["value"], each["pixels"]) for each in one] for one in rows["mask_values"].to_list() if one]


def _in_colours(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the values of all masks as colours, where some are: grey levels have red, green and blue alike."""

    def colour(value: pl.Expr) -> pl.Expr:
        return pl.when(value > COLOURED).then(value - COLOURED).otherwise(value * GREY)

    value, pixels = (pl.element().struct.field(name) for name in ("value", "pixels"))
    changed = [pl.col(name).list.eval(pl.struct(colour(value).alias("value"), pixels)) for name in VALUES]
    return rows.with_columns(*changed, pl.col("mask_borders").list.eval(colour(pl.element())))


def _named(meaning: Meaning, annotations: Annotations) -> tuple[Meaning, Message | None]:
    """The same with the names that a file gives to the numbers or colours, and what is to be said where it may name others."""
    lists = [str(path.resolve()) for path in annotations.lists]
    if not lists or meaning.kind not in ("binary", "numbers", "colours"):
        return meaning, None
    if meaning.kind == "colours":
        colours = names_of_colours(Path("/"), lists)
        return replace(meaning, classes=tuple(colours.get(name, name) for name in meaning.classes)), None
    numbers = [1] if meaning.kind == "binary" else [int(name) for name in meaning.classes]
    names, unsure = names_of_values(Path("/"), lists, max(numbers))
    if meaning.kind == "binary" and set(names) - {0} != {1}:  # a longer list is of something else
        return meaning, unsure if unsure is not None and unsure.values["count"] == 2 else None
    return replace(meaning, classes=tuple(names.get(number, str(number)) for number in numbers)), unsure


def _told(masks: pl.Series, meaning: Meaning) -> pl.Series:
    """The masks with what their values mean."""
    of = {"values": list(meaning.values), "indices": list(meaning.indices)}
    return pl.Series(
        "masks", [None if one is None else [mask | of for mask in one] for one in masks.to_list()], masks.dtype
    )


def _measured(rows: pl.DataFrame, meaning: Meaning) -> pl.DataFrame:
    K = len(meaning.classes)
    pixels, unknown, unexpected = [], [], []
    sizes = rows.select(pl.col("rows").cast(pl.Int64) * pl.col("columns")).to_series()
    for counted, size in zip(rows["mask_values"].to_list(), sizes.to_list(), strict=True):
        found, odd = [0] * (UNKNOWN_PIXEL + 1), 0
        for each in counted or ():
            found[index_of(each["value"], meaning.values, meaning.indices)] += each["pixels"]
            # Of objects every number is expected: (0, 1) stand for none of them and for any.
            odd += each["pixels"] if meaning.kind != "objects" and each["value"] not in meaning.values else 0
        if counted and meaning.kind == "objects":  # there may be more of them than values are counted
            found[1] = size - found[BACKGROUND]
        pixels.append(found[1 : K + 1])
        unknown.append(found[UNKNOWN_PIXEL])
        unexpected.append(odd)
    has = pl.DataFrame({str(k): [own[k] > 0 for own in pixels] for k in range(K)})
    measured = pl.DataFrame(
        {"mask_pixels": pixels, "mask_unknown": unknown, "mask_unexpected": unexpected},
        schema_overrides={"mask_pixels": pl.List(pl.Int64), "mask_unknown": pl.Int64, "mask_unexpected": pl.Int64},
    )
    return _with_findings(rows.drop(*VALUES, "mask_borders").hstack(measured), has)


def _with_findings(rows: pl.DataFrame, has: pl.DataFrame) -> pl.DataFrame:
    """The rows with a list of yes and no, one a class."""
    return rows.drop("findings", strict=False).with_columns(has.select(findings=pl.concat_list(pl.all())).to_series())
