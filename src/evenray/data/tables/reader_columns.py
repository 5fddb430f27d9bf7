"""Tables with a column a reader: Expert 1, Expert 2, Expert 3."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from evenray.core.messages import Message

from .meanings import meaning_of

__all__ = ["with_readers_as_rows"]

READER = re.compile(
    r"(?:.*[\W_])?(?:reader|rater|expert|annotator|observer|grader|doctor|radiologist|pathologist|dermatologist|ophthalmologist|endoscopist"
    r"|examiner|specialist|판독의|판독자|전문의|평가자)s?[\W_]*(?:\d{1,2}|[A-H])(?:[\W_].*)?",
    re.IGNORECASE,
)
AGREED = re.compile(r".*(majority|consensus|final|agreed|adjudicated|합의|최종).*", re.IGNORECASE)
MOST_CLASSES = 20


def with_readers_as_rows(raw: pl.DataFrame, kept: Collection[str]) -> tuple[pl.DataFrame, Message] | None:
    """The table with a row an image and reader, where columns are called after readers, hold the same few words and no column says
    what they agreed on; None for any other table, and where `kept` has one of the columns.

    >>> raw = pl.DataFrame({"file": ["a", "b"], "Expert 1": ["sick", "well"], "Expert 2": ["well", "well"]})
    >>> with_readers_as_rows(raw, ())[0].rows()
    [('a', 'sick', 'Expert 1'), ('b', 'well', 'Expert 1'), ('a', 'well', 'Expert 2'), ('b', 'well', 'Expert 2')]
    """
    columns = [name for name in raw.columns if READER.fullmatch(name)]
    if len(columns) < 2 or set(columns) & set(kept):
        return None
    if any(meaning_of(name) in ("label", "reader") or AGREED.fullmatch(name) for name in raw.columns):
        return None
    kinds = [set(raw[name].drop_nulls().unique().to_list()) for name in columns]
    words = set[str]().union(*kinds)
    if not 2 <= len(words) <= MOST_CLASSES or any(not each & other for each in kinds for other in kinds):
        return None
    rows = pl.concat(
        raw.select(pl.all().exclude(columns), pl.col(name).alias("label"), reader=pl.lit(name)) for name in columns
    )
    return rows, Message("scan.reader_columns", {"columns": columns})
