"""Tables with several images a row, in columns that are numbered: image_1, image_2, image_3."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from evenray.core.messages import Message

from .match_paths import ENDING

__all__ = ["with_images_as_rows"]

MOST = 0.9
NUMBER = re.compile(r"[\W_]*\d+")


def with_images_as_rows(raw: pl.DataFrame, kept: Collection[str]) -> tuple[pl.DataFrame, Message] | None:
    """The table with a row an image, in one column named as the numbered ones without their numbers; None where there are no such
    columns, or `kept` has one of them.

    >>> raw = pl.DataFrame({"case": ["7", "8"], "image_1": ["a.png", "c.png"], "image_2": ["b.png", None]})
    >>> with_images_as_rows(raw, ())[0].rows()
    [('7', 'a.png'), ('8', 'c.png'), ('7', 'b.png')]
    """
    found: dict[str, list[str]] = {}
    for name in raw.columns:
        named = raw[name].drop_nulls().str.contains(ENDING)
        if re.search(r"\d", name) and len(named) and named.sum() >= MOST * len(named):
            found.setdefault(NUMBER.sub("", name, count=1), []).append(name)
    several = {name: columns for name, columns in found.items() if len(columns) > 1}
    if len(several) != 1 or set(kept) & set(next(iter(several.values()))):
        return None
    [(name, columns)] = several.items()
    name = name if name and name not in raw.columns else "+".join(columns)
    rows = pl.concat(raw.select(pl.all().exclude(columns), pl.col(column).alias(name)) for column in columns)
    rows = rows.drop_nulls(name)
    if rows[name].n_unique() < MOST * rows.height:
        return None
    return rows, Message("scan.image_columns", {"columns": columns, "rows": rows.height})
