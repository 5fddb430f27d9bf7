"""Volumes: the slices of one NIfTI file, or of one DICOM series, in order and at an even distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from evenray.data.tables.pseudonym import pseudonym

__all__ = ["Stack", "named_volumes", "stacks"]

EVEN = 0.01  # how far distances of slices may be from their median, as a share of it: positions are rounded in headers


@dataclass(frozen=True)
class Stack:
    """A volume: the rows of its slices in the table of cases, in order along their normal, and the distance of two in mm."""

    rows: tuple[int, ...]
    step: float


def named_volumes(rows: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """The rows with the column `volume`: which images are slices of one volume, null of those that are none.

    A volume is what has positions along its slices' normal (`slice_position`): the slices of a file, or of a series of files.
    """
    number = pl.col("fragment").str.extract(r",volume=(\d+)").fill_null("0")
    file = pl.when(pl.col("fragment") != "").then(pl.col("file") + "#" + number)
    hashed = {name: pseudonym(key, "volume", name) for name in rows.select(file).to_series().drop_nulls().unique()}
    own = file.replace_strict(hashed, default=None, return_dtype=pl.String)
    volume = pl.when(pl.col("slice_position").is_not_null()).then(pl.coalesce(own, pl.col("series")))
    named = rows.with_columns(volume=volume)
    return named.with_columns(pl.when(pl.len().over("volume") > 1).then(pl.col("volume")))


def stacks(cases: pl.DataFrame) -> dict[str, Stack]:
    """The volumes of a table of cases by name; without those of which a slice is missing or doubled, or slices differ in size."""
    if "volume" not in cases.columns:
        return {}
    found = {}
    known = cases.with_row_index("row").drop_nulls("volume")
    for (name,), own in known.group_by("volume", maintain_order=True):
        own = own.sort("slice_position")
        gaps = np.diff(own["slice_position"].to_numpy())
        step = float(np.median(gaps)) if len(gaps) else 0.0
        alike = own.select("rows", "columns", "spacing_row", "spacing_column").unique().height == 1
        if alike and step > 0 and bool((np.abs(gaps - step) <= EVEN * step).all()):
            found[str(name)] = Stack(tuple(own["row"].to_list()), step)
    return found
