"""The join of the images that were read with a table of labels: by path, image, series, study, or patient and side."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from evenray.core.errors import DataError

from .ages import age_band
from .identifiers import canonical
from .labels import LabelTable
from .pseudonym import pseudonym
from .words import quoted

__all__ = ["Joined", "join", "one_row_each", "patients_told"]

# Identifiers are compared as hashes, never as they stand. Key of the table: (column of the images, kind of pseudonym).
HASHED = {
    "sop_instance_uid": ("sop_instance", "sop"),
    "series_instance_uid": ("series", "series"),
    "study_instance_uid": ("study", "study"),
    "accession_number": ("accession", "accession"),
    "patient_side": ("patient_side", "patient_side"),
    "patient": ("patient", "patient"),
}
TAKEN = ("label", "findings", "patient", "site", "sex", "age_band", "part")  # whose values win over those of the file
MUST_AGREE = {"label": "labels", "findings": "sets of findings", "patient": "patients", "part": "parts"}


@dataclass(frozen=True)
class Joined:
    """`rows` are the labelled images, or all; `unlabelled` counts those that are left out, `lost` the keys of the table that no image
    has.

    `ratings` is what each reader said of them: file, fragment, reader, and label or findings.
    """

    rows: pl.DataFrame
    unlabelled: int
    lost: int
    ratings: pl.DataFrame | None = None


def join(
    images: pl.DataFrame, table: LabelTable, key: bytes, unreadable: pl.DataFrame | None = None, *, every: bool = False
) -> Joined:
    """The images with what the table says of them, found by its key; with `every`, as where masks or boxes are learnt, those too of
    which it has no label.

    `unreadable` has the keys of files whose pixels could not be read: their labels are not counted as lost. Paths were matched
    to files before (see scan/listing), so none is lost here. DataError where the table labels no image, or, with `every`, names none.
    """
    on, kind = HASHED.get(table.key, ("file", ""))
    said = table.said
    labels = table.table.filter((pl.col(said).is_not_null() | every) & pl.col(table.key).is_not_null())
    for column in {table.key, "patient"}.intersection(HASHED).intersection(labels.columns):
        labels = labels.with_columns(_hashed(column, HASHED[column][1], key))
    if "age" in labels.columns:
        labels = labels.with_columns(age_band=pl.col("age").map_elements(age_band, return_dtype=pl.String))
    taken = [name for name in TAKEN if name in labels.columns]
    labels = labels.select(pl.col(table.key).alias("_key"), *(pl.col(name).alias(f"_{name}") for name in taken))
    labels = one_row_each(labels, "_key", table).with_columns(_named=True)
    joined = images.join(labels, left_on=on, right_on="_key", how="left", maintain_order="left")
    labelled = joined if every else joined.filter(pl.col(f"_{said}").is_not_null())
    if not labelled["_named"].any():
        raise DataError(
            f"{table.source} matches none of the {images.height} images: its column {table.key} has {labels.height} values,"
            f" and none is the {table.key} of an image. Check the column, or name another with --column {_short(table.key)}=COLUMN."
        )
    known = [name for name in taken if name in images.columns]
    labelled = labelled.with_columns(pl.coalesce(f"_{name}", name).alias(name) for name in known)
    columns = [*images.columns, *(name for name in taken if name not in images.columns)]
    labelled = labelled.rename({f"_{name}": name for name in taken if name not in images.columns}).select(columns)
    lost = 0
    if kind:
        met = images[on] if unreadable is None else pl.concat([images[on], unreadable[on]])
        lost = labels.filter(~pl.col("_key").is_in(met.drop_nulls().implode())).height
    ratings = table.ratings
    if ratings is not None:
        ratings = ratings.with_columns(_hashed(table.key, kind, key)) if kind else ratings
        cases = labelled.select("file", "fragment", _on=on)
        ratings = cases.join(ratings.rename({table.key: "_on"}), on="_on", maintain_order="left").drop("_on")
    return Joined(labelled, images.height - labelled.height, lost, ratings)


def patients_told(images: pl.DataFrame, table: LabelTable, key: bytes) -> pl.DataFrame:
    """`file` and `patient` of images under a key: what the table says of whom they are, else what the files say."""
    if "patient" not in table.table.columns or table.key == "patient":
        return images.select("file", "patient")
    on, kind = HASHED.get(table.key, ("file", ""))
    told = table.table.select(_key=table.key, _patient="patient").drop_nulls().unique("_key", keep="first")
    if kind:
        told = told.with_columns(_hashed("_key", kind, key))
    told = told.with_columns(_hashed("_patient", "patient", key))
    joined = images.join(told, left_on=on, right_on="_key", how="left", maintain_order="left")
    return joined.select("file", patient=pl.coalesce("_patient", "patient"))


def _short(key: str) -> str:
    short = {
        "sop_instance_uid": "sop", "series_instance_uid": "series", "study_instance_uid": "study", "accession_number": "accession"
    }  # fmt: skip
    return short.get(key, "path")


def _hashed(column: str, kind: str, key: bytes) -> pl.Expr:
    return pl.col(column).map_elements(lambda value: pseudonym(key, kind, value), return_dtype=pl.String)


def one_row_each(labels: pl.DataFrame, key: str, table: LabelTable) -> pl.DataFrame:
    """The rows by the column `key`, each once, in order; DataError where they differ in label, patient or part.

    Columns may begin with "_". Only a path is quoted in the error, as the other keys name people.
    """
    others = [column for column in labels.columns if column != key]
    if not labels[key].is_duplicated().any():
        return labels
    for column in others:
        if (plural := MUST_AGREE.get(column.removeprefix("_"))) is None:
            continue
        kinds = pl.col(column).drop_nulls()
        kinds = kinds.map_elements(canonical, return_dtype=pl.String) if column == "patient" else kinds
        values = labels.group_by(key, maintain_order=True).agg(kinds.n_unique().alias(column))
        twice = values.filter(pl.col(column) > 1)[key]
        if len(twice):
            which = f"{len(twice)} {table.key} values"
            if table.key == "path":
                which = str(twice[0]) + (f" and {len(twice) - 1} more" if len(twice) > 1 else "")
            ways = ""
            if plural in ("labels", "sets of findings"):
                place = next(row.place for row in table.understood.rows if row.meaning in ("label", "findings"))
                ways = (
                    f", or, where each row is of something else in the image, take all of them with --column"
                    f" 'findings={quoted(place)}', or, where each is another reader's, say --column reader=COLUMN"
                )
            raise DataError(f"'{table.source}' gives {which} two different {plural}; keep one row for each{ways}.")
    first = [pl.col(column).drop_nulls().first() for column in others]
    return labels.group_by(key, maintain_order=True).agg(first).select(labels.columns)
