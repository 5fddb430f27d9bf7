"""Columns called as a part of a split that say yes or no, such as `Train` with 1 and 0: told as one column of parts."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from .meanings import FLAGS, meaning_of, parts_named

__all__ = ["with_parts"]


def with_parts(raw: pl.DataFrame, asked: Collection[str] = ()) -> pl.DataFrame:
    """The table with the part in place of yes and no; a row that no column says yes of is of the part that none is called after,
    train before test. A table with another column of parts stays as it is, but where one of these is `asked` for.

    >>> with_parts(pl.DataFrame({"image": ["a", "b"], "Train ": ["1", "0"]})).rows()
    [('a', 'train'), ('b', 'test')]
    >>> with_parts(pl.DataFrame({"is_val": ["0", "0", "1"], "is_test": ["0", "1", "0"]})).to_dict(as_series=False)
    {'is_val': ['train', 'test', 'validation']}
    """
    parts = {name: part for name in asked or raw.columns if (part := _part(name)) and _are_flags(raw[name])}
    other = not asked and any(meaning_of(name) == "split" and name not in parts for name in raw.columns)
    if not parts or other or len(set(parts.values())) < len(parts):
        return raw
    rest = next((part for part in ("train", "test") if part not in parts.values()), None)
    yes = [word for word, flag in FLAGS.items() if flag]
    told = pl.coalesce(
        pl.when(pl.col(name).str.to_lowercase().is_in(yes)).then(pl.lit(part)) for name, part in parts.items()
    )
    first, *others = parts
    return raw.with_columns(told.fill_null(pl.lit(rest, pl.String)).alias(first)).drop(others)


def _part(name: str) -> str | None:
    named = parts_named(name)
    return named[0] if len(named) == 1 else None


def _are_flags(column: pl.Series) -> bool:
    kinds = {FLAGS.get(value.casefold()) for value in column.drop_nulls().unique().to_list()}
    return kinds == {True, False}
