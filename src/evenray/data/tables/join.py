"""The join of the images that were read with a table of labels: by path, image, study or patient."""

from __future__ import annotations

import polars as pl

from evenray.core.errors import DataError

from .labels import LabelTable, age_band
from .pseudonym import pseudonym

__all__ = ["join", "one_row_each"]

# Identifiers are compared as hashes, never as they stand. Column of the table: (column of the images, kind of pseudonym).
HASHED = {
    "sop_instance_uid": ("sop_instance", "sop"),
    "study_instance_uid": ("study", "study"),
    "patient": ("patient", "patient"),
}
TAKEN = ("label", "patient", "site", "sex", "age_band", "part")  # columns whose values win over those of the file
MUST_AGREE = {"label": "labels", "patient": "patients", "part": "parts"}


def join(
    images: pl.DataFrame, table: LabelTable, key: bytes, unreadable: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, int, int]:
    """The labelled images, how many images the table does not label, and how many keys of the table no image has.

    The images are found by the most exact key of the table (`LabelTable.key`). `unreadable` has the keys of files whose
    pixels could not be read: their labels are not counted as lost. Paths were matched to files before (see scan/listing),
    so none is lost here. DataError where the table labels no image.
    """
    on, kind = HASHED.get(table.key, ("file", ""))
    labels = table.table.filter(pl.col("label").is_not_null() & pl.col(table.key).is_not_null())
    for column in {table.key, "patient"}.intersection(HASHED).intersection(labels.columns):
        labels = labels.with_columns(_hashed(column, HASHED[column][1], key))
    if "age" in labels.columns:
        labels = labels.with_columns(age_band=pl.col("age").map_elements(age_band, return_dtype=pl.String))
    taken = [name for name in TAKEN if name in labels.columns]
    labels = labels.select(pl.col(table.key).alias("_key"), *(pl.col(name).alias(f"_{name}") for name in taken))
    labels = one_row_each(labels, "_key", table)
    joined = images.join(labels, left_on=on, right_on="_key", how="left", maintain_order="left")
    labelled = joined.filter(pl.col("_label").is_not_null())
    if not labelled.height:
        raise DataError(
            f"{table.source} matches none of the {images.height} images: its column {table.key} has {labels.height} values,"
            f" and none is the {table.key} of an image. Check the column, or name another with a usual name."
        )
    labelled = labelled.with_columns(pl.coalesce(f"_{name}", name).alias(name) for name in taken).select(images.columns)
    lost = 0
    if kind:
        met = images[on] if unreadable is None else pl.concat([images[on], unreadable[on]])
        lost = labels.filter(~pl.col("_key").is_in(met.drop_nulls().implode())).height
    return labelled, images.height - labelled.height, lost


def _hashed(column: str, kind: str, key: bytes) -> pl.Expr:
    return pl.col(column).map_elements(lambda value: pseudonym(key, kind, value), return_dtype=pl.String)


def one_row_each(labels: pl.DataFrame, key: str, table: LabelTable) -> pl.DataFrame:
    """The rows by the column `key`, each once, in order; DataError where they differ in label, patient or part.

    Columns may begin with "_". Only a path is quoted in the error, as the other keys name people.
    """
    others = [column for column in labels.columns if column != key]
    for column in others:
        if (plural := MUST_AGREE.get(column.removeprefix("_"))) is None:
            continue
        values = labels.group_by(key, maintain_order=True).agg(pl.col(column).drop_nulls().n_unique())
        twice = values.filter(pl.col(column) > 1)[key]
        if len(twice):
            which = f"{len(twice)} {table.key} values"
            if table.key == "path":
                which = str(twice[0]) + (f" and {len(twice) - 1} more" if len(twice) > 1 else "")
            raise DataError(f"'{table.source}' gives {which} two different {plural}; keep one row for each.")
    if not labels[key].is_duplicated().any():
        return labels
    first = [pl.col(column).drop_nulls().first() for column in others]
    return labels.group_by(key, maintain_order=True).agg(first).select(labels.columns)
