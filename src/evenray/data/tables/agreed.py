"""One row for each image that a table names more than once, or an error where its rows disagree."""

from __future__ import annotations

import polars as pl

from evenray.core.errors import DataError

__all__ = ["agreed"]

MUST_AGREE = {"label": "labels", "patient": "patients", "part": "parts"}


def agreed(labels: pl.DataFrame, key: str, name: str, source: str) -> pl.DataFrame:
    """The rows by the column `key`, each once, in order; DataError where they differ in label, patient or part.

    `name` is what the key is called; only a path is told as it stands, for the others name people.
    """
    for column, said in MUST_AGREE.items():
        if column not in labels.columns or column == key:
            continue
        values = labels.group_by(key, maintain_order=True).agg(pl.col(column).drop_nulls().n_unique())
        twice = values.filter(pl.col(column) > 1)[key]
        if len(twice):
            which = f"{len(twice)} {name} values"
            if name == "path":
                which = str(twice[0]) + (f" and {len(twice) - 1} more" if len(twice) > 1 else "")
            raise DataError(f"'{source}' gives {which} two different {said}; keep one row for each.")
    if not labels[key].is_duplicated().any():
        return labels
    others = [pl.col(column).drop_nulls().first() for column in labels.columns if column != key]
    return labels.group_by(key, maintain_order=True).agg(others).select(labels.columns)
