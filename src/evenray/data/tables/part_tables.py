"""A table for each part of a split: train.csv, valid.csv and test.csv with the same columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError

from .match_paths import ENDING
from .meanings import meaning_of
from .parts import part_of
from .places import exists
from .raw_table import read_raw_table

__all__ = ["have_same_columns", "read_parts", "together"]

SAMPLE = 20


def together(paths: Sequence[Path]) -> list[list[Path]]:
    """The tables, those in one list that hold parts of one table: of one name in several folders, or of the names of parts."""
    named: dict[str, list[Path]] = {}
    for path in paths:
        named.setdefault(path.name, []).append(path)
    groups = [same for same in named.values() if len(same) > 1 and _are_parts(same)]
    rest = [path for path in paths if not any(path in group for group in groups)]
    told = [path for path in rest if _part(path.stem)]
    if len(told) > 1 and _are_parts(told):
        groups.append(told)
    return [*groups, *([path] for path in rest if path not in (groups[-1] if groups else ()))]


def _are_parts(paths: Sequence[Path]) -> bool:
    """Whether tables have the same columns, and names that differ by the parts of a split that they say, or one name in
    several folders, with names of images there or parts."""
    told = {name: part for name in _names(paths) if (part := _part(name))}
    rests = {name.replace(part[0], "") for name, part in told.items()}
    parts = len({part for _, part in told.values()}) == len(paths) and len(rests) == 1
    if not (parts or len({path.name for path in paths}) == 1) or not have_same_columns(paths):
        return False
    tables = [] if parts else [read_raw_table(path) for path in paths]
    return all(any(_are_images(table[name]) for name in table.columns) for table in tables)


def have_same_columns(paths: Sequence[Path]) -> bool:
    """Whether all tables can be read and have the same columns."""
    try:
        return len({frozenset(read_raw_table(path).columns) for path in paths}) == 1
    except DataError:
        return False


def read_parts(paths: Sequence[Path]) -> pl.DataFrame:
    """The rows of all, with the part that each table's name, or folder, says where no column does. What tables in folders of their
    own name without a folder lies in these."""
    tables = [read_raw_table(path) for path in paths]
    told = any(meaning_of(name) == "split" for name in tables[0].columns)
    for at, (path, name) in enumerate(zip(paths, _names(paths), strict=True)):
        part = _part(name)
        tables[at] = _in_own_folder(tables[at], path, part and part[1])
        if part and not told:
            tables[at] = tables[at].with_columns(split=pl.lit(part[1]))
        if name != path.stem:
            plain = [each for each in tables[at].columns if _are_images(tables[at][each])]
            tables[at] = tables[at].with_columns(pl.concat_str(pl.lit(f"{name}/"), each).alias(each) for each in plain)
    return pl.concat([table.select(tables[0].columns) for table in tables])


def _in_own_folder(raw: pl.DataFrame, path: Path, part: str | None) -> pl.DataFrame:
    """The table with names of files beside it, or in a folder of its part, as whole paths: another may have the same names."""
    beside = sorted(each for each in path.parent.iterdir() if part and each.is_dir() and part_of(each.name) == part)
    for name in raw.columns:
        sample = raw[name].drop_nulls().head(SAMPLE)
        for folder in (path.parent, *beside):
            if len(sample) and all(exists(folder / value) for value in sample):
                raw = raw.with_columns((pl.lit(f"{folder.resolve().as_posix()}/") + pl.col(name)).alias(name))
                break
    return raw


def _names(paths: Sequence[Path]) -> list[str]:
    """What may say the parts: the names of tables, or of their folders where tables of one name lie in several."""
    often = Counter(path.name for path in paths)
    return [path.parent.name if often[path.name] > 1 else path.stem for path in paths]


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
