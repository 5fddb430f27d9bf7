"""A table for each part of a split: train.csv, valid.csv and test.csv with the same columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError

from .match_paths import ENDING
from .meanings import meaning_of
from .parts import part_of
from .raw_table import read_raw_table

__all__ = ["are_parts", "read_parts"]


def are_parts(paths: Sequence[Path]) -> bool:
    """Whether tables have the same columns, and names that differ by the parts of a split that they say, or one name in
    several folders, with names of images there or parts."""
    told = {name: _part(name) for name in _names(paths)}
    rests = {re.sub(part[0], "", name) for name, part in told.items() if part}
    parts = len(set(told.values())) == len(paths) and None not in told.values() and len(rests) == 1
    if len(paths) < 2 or not (parts or len({path.name for path in paths}) == 1):
        return False
    try:
        tables = [read_raw_table(path) for path in paths]
    except DataError:
        return False
    alike = all(set(table.columns) == set(tables[0].columns) for table in tables)
    return alike and (parts or all(any(_are_images(table[name]) for name in table.columns) for table in tables))


def read_parts(paths: Sequence[Path]) -> pl.DataFrame:
    """The rows of all, with the part that each table's name, or folder, says where no column does. What tables in folders of their
    own name without a folder lies in these."""
    tables = [read_raw_table(path) for path in paths]
    told = any(meaning_of(name) == "split" for name in tables[0].columns)
    names = _names(paths)
    for at, (path, name) in enumerate(zip(paths, names, strict=True)):
        if not told and (part := _part(name)):
            tables[at] = tables[at].with_columns(split=pl.lit(part[1]))
        if name != path.stem:
            plain = [each for each in tables[at].columns if _are_images(tables[at][each])]
            tables[at] = tables[at].with_columns(pl.concat_str(pl.lit(f"{name}/"), each).alias(each) for each in plain)
    return pl.concat([table.select(tables[0].columns) for table in tables])


def _names(paths: Sequence[Path]) -> list[str]:
    """What may say the parts: the names of tables, or of their folders where tables of one name lie in several."""
    same = len(paths) > 1 and len({path.name for path in paths}) == 1
    return [path.parent.name if same else path.stem for path in paths]


def _are_images(column: pl.Series) -> bool:
    """Whether values are names of images without folders."""
    values = column.drop_nulls()
    return (
        len(values) > 0 and bool(values.str.contains(ENDING).all()) and not values.str.contains("/", literal=True).any()
    )


def _part(name: str) -> tuple[str, str] | None:
    """The word of a name that says a part, and the part.

    >>> _part("mass_case_description_train_set"), _part("labels")
    (('train', 'train'), None)
    """
    words = [word for word in re.split(r"[\s_.-]+", name) if part_of(word)]
    return (words[0], str(part_of(words[0]))) if len(words) == 1 else None
