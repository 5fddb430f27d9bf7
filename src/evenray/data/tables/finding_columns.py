"""Several findings an image in numbered columns of one vocabulary: Label_1, Label_2, Label_3, blank where there are fewer."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from .meanings import weak_label

__all__ = ["with_findings_joined"]

NUMBER = re.compile(r"[\W_]*\d+$")


def with_findings_joined(raw: pl.DataFrame, kept: Collection[str]) -> pl.DataFrame:
    """The table with such columns as one, whose values are put apart by `|`; as it is where there are none, or `kept` has one.

    >>> with_findings_joined(pl.DataFrame({"Label_1": ["ulcer", "polyp"], "Label_2": ["polyp", None]}), ()).rows()
    [('ulcer|polyp',), ('polyp',)]
    """
    found: dict[str, list[str]] = {}
    for name in raw.columns:
        if NUMBER.search(name) and weak_label(name):
            found.setdefault(NUMBER.sub("", name), []).append(name)
    several = {name: columns for name, columns in found.items() if len(columns) > 1 and _are_one(raw, columns)}
    if len(several) != 1 or not set(kept).isdisjoint(*several.values()):
        return raw
    [(name, columns)] = several.items()
    joined = pl.concat_str(columns, separator="|", ignore_nulls=True)
    said = pl.when(pl.any_horizontal(pl.col(columns).is_not_null())).then(joined)
    return raw.with_columns(said.alias(columns[0])).drop(columns[1:]).rename(
        {columns[0]: name if name not in raw.columns else columns[0]}
    )  # fmt: skip


def _are_one(raw: pl.DataFrame, columns: list[str]) -> bool:
    """Whether later columns are blank where earlier ones are, at times, and hold the words of the first."""
    first = set(raw[columns[0]].drop_nulls().unique().to_list())
    words = [set(raw[name].drop_nulls().unique().to_list()) for name in columns[1:]]
    blank = [raw[name].null_count() for name in columns]
    return blank[-1] > blank[0] and blank == sorted(blank) and all(2 * len(each & first) > len(each) for each in words)
