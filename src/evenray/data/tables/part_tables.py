"""A table for each part of a split: train.csv, valid.csv and test.csv with the same columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError

from .meanings import meaning_of
from .parts import part_of
from .places import exists
from .raw_table import read_raw_table

__all__ = ["have_same_columns", "parts_among", "read_parts"]

SAMPLE = 20


def parts_among(paths: Sequence[Path]) -> list[Path]:
    """The tables that have the same columns, and names that differ by the parts of a split that they say; none where there is one."""
    told = {path: part for path in paths if (part := _part(path))}
    rests = {re.sub(part[0], "", path.stem) for path, part in told.items()}
    whole = len(told) > 1 and len(set(told.values())) == len(told) and len(rests) == 1 and have_same_columns([*told])
    return [*told] if whole else []


def have_same_columns(paths: Sequence[Path]) -> bool:
    """Whether all tables can be read and have the same columns."""
    try:
        return len({frozenset(read_raw_table(path).columns) for path in paths}) == 1
    except DataError:
        return False


def read_parts(paths: Sequence[Path]) -> pl.DataFrame:
    """The rows of all, with the part that each table's name says where no column does."""
    tables = [read_raw_table(path) for path in paths]
    tables = [_in_own_folder(table, path) for table, path in zip(tables, paths, strict=True)]
    told = any(meaning_of(name) == "split" for name in tables[0].columns)
    for at, path in enumerate(paths):
        if not told and (part := _part(path)):
            tables[at] = tables[at].with_columns(split=pl.lit(part[1]))
    return pl.concat([table.select(tables[0].columns) for table in tables])


def _in_own_folder(raw: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The table with names of files beside it, or in a folder of its part, as whole paths: another may have the same names."""
    part = _part(path)
    beside = sorted(each for each in path.parent.iterdir() if each.is_dir() and part and part_of(each.name) == part[1])
    for name in raw.columns:
        sample = raw[name].drop_nulls().head(SAMPLE)
        for folder in (path.parent, *beside):
            if len(sample) and all(exists(folder / value) for value in sample):
                raw = raw.with_columns((pl.lit(f"{folder.resolve().as_posix()}/") + pl.col(name)).alias(name))
                break
    return raw


def _part(path: Path) -> tuple[str, str] | None:
    """The word of a table's name that says a part, and the part.

    >>> _part(Path("mass_case_description_train_set.csv")), _part(Path("labels.csv"))
    (('train', 'train'), None)
    """
    words = [word for word in re.split(r"[\s_.-]+", path.stem) if part_of(word)]
    return (words[0], str(part_of(words[0]))) if len(words) == 1 else None
