"""Columns in which a mark stands for yes and a blank for no, as in lists that are ticked."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from evenray.core.messages import Message

from .meanings import meaning_of

__all__ = ["with_marks"]

PAIRS = {frozenset("ox"): "o", frozenset("○×"): "○", frozenset("○x"): "○", frozenset("+-"): "+", frozenset("✓✗"): "✓"}
SHOWN = 4
FEW = 4  # values that are looked at
MARKS = {"x", "✓", "✔", "√", "☑", "●", "■", "○", "o", "v", "*", "+"}


def with_marks(raw: pl.DataFrame, kept: Collection[str] = ()) -> tuple[pl.DataFrame, tuple[Message, ...]]:
    """The table with 1 and 0 in columns that hold a mark and blanks alone, which is said, or + and -, or O and X below names in
    Korean, Japanese or Chinese; columns of a known meaning, and those of `kept`, stay as they are.

    >>> with_marks(pl.DataFrame({"nevus": ["X", None, "X"], "grade": ["x", "y", None]}))[0].rows()
    [('1', 'x'), ('0', 'y'), ('1', None)]
    """
    found = []
    ticked: list[str] = []
    asian = any(
        re.search("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]", name) for name in raw.columns
    )  # where O says yes
    for name in raw.columns:
        if meaning_of(name) not in (None, "label") or name in kept:
            continue
        values = {value.casefold() for value in raw[name].drop_nulls().unique().head(FEW).to_list()}
        column, yes = pl.col(name), PAIRS.get(frozenset(values))
        if yes == "o" and not asian:
            continue
        if yes is not None:
            said = pl.when(column.str.to_lowercase() == yes).then(pl.lit("1")).otherwise(pl.lit("0"))
            found.append(pl.when(column.is_not_null()).then(said).alias(name))
        elif len(values) == 1 and values <= MARKS and raw[name].null_count() and meaning_of(name) is None:
            found.append(pl.when(column.is_null()).then(pl.lit("0")).otherwise(pl.lit("1")).alias(name))
            ticked.append(name)
    notes = (Message("scan.marks", {"columns": ticked[:SHOWN]}),) if ticked else ()
    return raw.with_columns(found), notes
