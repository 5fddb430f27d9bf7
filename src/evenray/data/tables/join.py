"""Joining the images that were read with a table of labels, by path, image, study or patient."""

from __future__ import annotations

import polars as pl

from evenray.core.errors import DataError

from .agreed import agreed
from .labels import LabelTable, age_band
from .pseudonym import pseudonym

__all__ = ["join"]

# table column -> (column of the rows, kind of pseudonym); identifiers are compared as hashes, never as they stand
HASHED = {
    "sop_instance_uid": ("sop_instance", "sop"),
    "study_instance_uid": ("study", "study"),
    "patient": ("patient", "patient"),
}


def join(rows: pl.DataFrame, table: LabelTable, key: bytes) -> tuple[pl.DataFrame, int, int]:
    """The labelled rows, how many images the table does not label, and how many keys of it no image has.

    DataError where it labels none; paths are those of the files already, and are not counted (see `listing`).
    The most exact key decides; where the table also has a patient, site, sex, age or part column, it wins over the file's own.
    """
    labels = table.table.filter(pl.col("label").is_not_null() & pl.col(table.key).is_not_null())
    if "patient" in labels.columns:
        labels = labels.with_columns(_hashed("patient", "patient", key))
    if table.key in HASHED:
        own, kind = HASHED[table.key]
        if table.key != "patient":
            labels = labels.with_columns(_hashed(table.key, kind, key))
        rows = rows.with_columns(pl.col(own).alias("_key"))
    else:
        rows = rows.with_columns(pl.col("file").alias("_key"))
    if "age" in labels.columns:
        labels = labels.with_columns(age_band=pl.col("age").map_elements(age_band, return_dtype=pl.String))
    told = [name for name in ("label", "patient", "site", "sex", "age_band", "part") if name in labels.columns]
    labels = agreed(labels.select(pl.col(table.key).alias("_key"), *told), "_key", table.key, table.source)
    labels = labels.rename({name: f"_{name}" for name in told})
    joined = rows.join(labels, on="_key", how="left", maintain_order="left")
    labelled = joined.filter(pl.col("_label").is_not_null())
    if not labelled.height:
        raise DataError(
            f"{table.source} matches none of the {rows.height} images: its column {table.key} has {labels.height} values,"
            f" and none is the {table.key} of an image. Check the column, or name another with a usual name."
        )
    taken = [pl.col("_label").alias("label")]
    taken += [pl.coalesce(pl.col(f"_{name}"), pl.col(name)).alias(name) for name in told if name != "label"]
    labelled = labelled.with_columns(taken).select(rows.columns).drop("_key")
    lost = 0 if table.key == "path" else labels.join(rows, on="_key", how="anti").height
    return labelled, rows.height - labelled.height, lost


def _hashed(column: str, kind: str, key: bytes) -> pl.Expr:
    return pl.col(column).map_elements(lambda value: pseudonym(key, kind, value), return_dtype=pl.String)
