"""Tables with columns for each reader, made to ones with a row for each."""

from __future__ import annotations

import re

import polars as pl

from evenray.core.messages import Message

from .meanings import meaning_of

__all__ = ["reader_columns", "row_a_reader"]

WHO = r"(?:r|rad|reader|rater|radiologist|annotator|grader|observer|expert|doctor|판독의|판독자|평가자)[ _-]?(?P<who>\d{1,2}|[a-c])"
BEFORE = re.compile(rf"{WHO}(?:[\W_]+(?P<rest>.+))?", re.IGNORECASE)
BEHIND = re.compile(rf"(?P<rest>.+?)[\W_]+{WHO}", re.IGNORECASE)


def reader_columns(raw: pl.DataFrame) -> dict[str, dict[str, str]]:
    """The columns of several readers: what each is called but for the reader, "" where nothing else, and by reader its name. None
    where the table says who read in a column, or has a column of labels that is nobody's.

    >>> reader_columns(pl.DataFrame({"name": ["a", "b"], "R1:ICH": ["0", "1"], "R2:ICH": ["1", "1"]}))
    {'ICH': {'1': 'R1:ICH', '2': 'R2:ICH'}}
    >>> reader_columns(pl.DataFrame({"file": ["a", "b"], "label_reader1": ["sick", "well"], "label_reader2": ["well", "well"]}))
    {'label': {'1': 'label_reader1', '2': 'label_reader2'}}
    """
    found: dict[str, dict[str, str]] = {}
    for name in raw.columns:
        if called := BEFORE.fullmatch(name) or BEHIND.fullmatch(name):
            found.setdefault(called["rest"] or "", {})[called["who"].casefold()] = name
    found = {rest: columns for rest, columns in found.items() if len(columns) > 1}
    used = {name for columns in found.values() for name in columns.values()}
    others = [name for name in raw.columns if name not in used]
    whole = len({tuple(sorted(columns)) for columns in found.values()}) == 1 and set(found).isdisjoint(others)
    said = any(meaning_of(name) in ("reader", "label") for name in others)
    return found if whole and not said and all(_alike(raw, columns) for columns in found.values()) else {}


def _alike(raw: pl.DataFrame, columns: dict[str, str]) -> bool:
    """Whether any value of one reader is another's too."""
    first, *others = [raw[name].drop_nulls().unique() for name in columns.values()]
    return all(first.is_in(other.implode()).any() for other in others)


def row_a_reader(raw: pl.DataFrame, found: dict[str, dict[str, str]]) -> tuple[pl.DataFrame, Message]:
    """The table with a row a reader, whose columns are called without the reader, or `label`, and what is to be said of it."""
    readers = sorted(next(iter(found.values())))
    used = [name for columns in found.values() for name in columns.values()]
    rows = pl.concat(
        raw.select(
            pl.all().exclude(used), *(pl.col(of[who]).alias(rest or "label") for rest, of in found.items()), reader=pl.lit(who)
        )
        for who in readers
    )  # fmt: skip
    return rows, Message("scan.reader_columns", {"columns": used[:4], "readers": len(readers), "rows": rows.height})
