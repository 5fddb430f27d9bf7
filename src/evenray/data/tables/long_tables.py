"""Tables with a row for each image and finding, made to ones with a row an image and a column a finding."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from evenray.core.messages import Message

from .identifiers import looks_like_identifiers
from .meanings import FLAGS, known_values, meaning_of

__all__ = ["widened"]

MOST = 50  # findings
NAMED_END = r"^(.+)_([^_]+)$"


def widened(raw: pl.DataFrame) -> tuple[pl.DataFrame, Message] | None:
    """A table whose rows say yes or no of one finding of one image, with a column a finding; None for any other.

    The finding stands in a column of its own that is called as labels are, or, in a table of two columns, at the end of the image's
    name, as RSNA's tables of haemorrhages have it. Every image has a row for each finding, as a table that leaves some out does not
    say what they are.

    >>> raw = pl.DataFrame({"ID": ["a_bleed", "a_any", "b_bleed", "b_any"], "Label": ["0", "1", "0", "0"]})
    >>> widened(raw)[0].rows(named=True)
    [{'ID': 'a', 'bleed': '0', 'any': '1'}, {'ID': 'b', 'bleed': '0', 'any': '0'}]
    """
    for table, name, flag in _readings(raw):
        others = [column for column in table.columns if column not in (name, flag)]
        kinds = table[name].unique(maintain_order=True).to_list()
        images = table.select(others).n_unique()
        whole = 2 <= len(kinds) <= MOST and images > 1 and images * len(kinds) == table.height
        if not whole or table.select(*others, name).is_duplicated().any() or not set(kinds).isdisjoint(others):
            continue
        told = not looks_like_identifiers(kinds) and known_values(kinds) is None and not any(map(str.isdecimal, kinds))
        if told:
            wide = table.pivot(on=name, on_columns=kinds, index=others, values=flag)
            return wide, Message("scan.long_table", {"rows": raw.height, "images": wide.height, "findings": len(kinds)})
    return None


def _readings(raw: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, str, str]]:
    """The table with a column of findings and one of yes and no: as it stands, or with the ends of names apart."""
    flags = [name for name in raw.columns if not raw[name].null_count() and _are_flags(raw[name])]
    for name in raw.columns:
        if name not in flags and meaning_of(name) == "label" and raw.width > 2 and not raw[name].null_count():
            yield from ((raw, name, flag) for flag in flags)
    if raw.width == 2 and len(flags) == 1:
        flag, (key,) = flags[0], [name for name in raw.columns if name not in flags]
        if raw[key].head(MOST).str.contains(NAMED_END).all():
            ends = raw[key].str.extract_groups(NAMED_END)
            table = pl.DataFrame(
                [ends.struct.field("1").alias(key), ends.struct.field("2").alias(f"{key} "), raw[flag]]
            )
            if not table[key].null_count():
                yield table, f"{key} ", flag


def _are_flags(column: pl.Series) -> bool:
    words = column.head(MOST).str.to_lowercase().is_in([word for word, flag in FLAGS.items() if flag is not None])
    return bool(words.all()) and column.unique().len() <= 4
