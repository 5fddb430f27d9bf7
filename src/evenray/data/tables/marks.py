"""Columns in which a mark stands for yes and a blank for no, as in lists that are ticked."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from .meanings import meaning_of

__all__ = ["with_marks"]

MARKS = {"x", "✓", "✔", "√", "☑", "●", "■", "○", "o", "v", "*", "+"}


def with_marks(raw: pl.DataFrame, kept: Collection[str] = ()) -> pl.DataFrame:
    """The table with 1 and 0 in columns that hold a mark and blanks alone; columns of a known meaning, and those of `kept`,
    stay as they are.

    >>> with_marks(pl.DataFrame({"nevus": ["X", None, "X"], "grade": ["x", "y", None]})).rows()
    [('1', 'x'), ('0', 'y'), ('1', None)]
    """
    found = []
    for name in raw.columns:
        values = raw[name].drop_nulls().unique()
        marked = len(values) == 1 and values[0].casefold() in MARKS and raw[name].null_count()
        if marked and meaning_of(name) is None and name not in kept:
            found.append(pl.when(pl.col(name).is_null()).then(pl.lit("0")).otherwise(pl.lit("1")).alias(name))
    return raw.with_columns(found)
