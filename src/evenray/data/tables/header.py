"""The line that names the columns of a table: it may stand below a title, be missing, or stand twice."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError

from .match_paths import ENDING
from .meanings import meaning_of

__all__ = ["AGAIN", "SEPARATORS", "with_names", "without_titles"]

SEPARATORS = "\t;,|"
LINES = 10  # among which the names of the columns stand
AGAIN = re.compile(r"(.+) \(\d+\)")  # a repeated name, as raw_table writes it
MOST = 0.9


def without_titles(text: str) -> str:
    """A table as text from the line that names its columns: the first with two known names or more, where the lines above
    it have none.

    >>> without_titles("Study of 2023,,\\nimage,patient,label\\na.png,1,sick\\n").partition("\\n")[0]
    'image,patient,label'
    >>> without_titles("c1,c2\\na.png,sick\\n").partition("\\n")[0]
    'c1,c2'
    """
    start = 0
    for line in text.split("\n", LINES)[:LINES]:
        cells = next(csv.reader([line.strip("\r")], delimiter=max(SEPARATORS, key=line.count)), [])
        known = {meaning for cell in cells if (meaning := meaning_of(cell))}
        if len(known) > 1 or (known and start == 0 and sum(bool(cell.strip()) for cell in cells) > 1):
            return text[start:]
        start += len(line) + 1
    return text


def with_names(raw: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The table with its first line as a row where that is one: it names a file, is numbered as what stands below it, or says
    that again, and none of its words is known as the name of a column. Columns are then called by their numbers.

    DataError where a second line repeats some names of columns.
    """
    names = raw.columns
    given = [name for name in names if not name.startswith("column ")]
    if not any(meaning_of(name) for name in names) and (
        any(_is_value(name, raw[name]) for name in given) or _are_numbers(given)
    ):
        first = pl.DataFrame(
            {name: [AGAIN.sub(r"\1", name) if name in given else None] for name in names}, schema=raw.schema
        )
        return pl.concat([first, raw]).rename({name: f"column {at}" for at, name in enumerate(names, 1)})
    repeats = raw.select(pl.sum_horizontal((pl.col(name) == name).fill_null(False) for name in names)).to_series()
    if len(names) > 2 and (twice := repeats.filter(repeats > 1)).len():
        raise DataError(
            f"A row of the table '{path}' repeats {twice[0]} of its {len(names)} names of columns, so the names may stand on two"
            " lines; write them on one."
        )
    return raw


def _is_value(name: str, column: pl.Series) -> bool:
    """Whether a name is that of a file, or stands below itself again as a word, or is numbered as the values are."""
    if re.search(ENDING, name):
        return True
    if not any(letter.isalpha() for letter in name):
        return False
    alike = column.str.replace_all(r"\d+", "0") == re.sub(r"\d+", "0", name)
    return bool((column == name).any() or (re.search(r"\d", name) and int(alike.sum() or 0) > MOST * len(alike)))


def _are_numbers(names: list[str]) -> bool:
    """Whether all names are numbers, and do not count the columns."""
    return bool(names) and all(map(str.isdecimal, names)) and names != [str(at) for at in range(len(names))]
