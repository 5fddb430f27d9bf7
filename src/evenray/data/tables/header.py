"""The line that names the columns of a table: it may stand below a title, be missing, or stand twice."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError

from .match_paths import ENDING
from .meanings import meaning_of

__all__ = ["AGAIN", "SEPARATORS", "first_lines", "with_names", "without_titles"]

SEPARATORS = "\t;,|"
LINES = 10  # among which the names of the columns stand
AGAIN = re.compile(r"(.+) \(\d+\)")  # a repeated name, as raw_table writes it
MOST = 0.9


def without_titles(text: str) -> str:
    """A table as text from the line that names its columns: the first with two known names or more, where the lines above
    it have none; or the one below it, where that names groups of columns, as merged cells do, and the next names each.

    >>> without_titles("Study of 2023,,\\nimage,patient,label\\na.png,1,sick\\n").partition("\\n")[0]
    'image,patient,label'
    >>> without_titles("c1,c2\\na.png,sick\\n").partition("\\n")[0]
    'c1,c2'
    >>> without_titles("Patient,,Image\\nNo,Sex,File\\n1,M,a.png\\n").partition("\\n")[0]
    'Patient No,Sex,File'
    """
    start = 0
    lines = first_lines(text, LINES)
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        cells, under = _cells(line), _cells(below)
        known = {meaning for cell in cells if (meaning := meaning_of(cell))}
        if len(known) > 1 or (known and start == 0 and sum(map(bool, cells)) > 1):
            more = {meaning for cell in under if (meaning := meaning_of(cell))}
            groups = not all(cells) and all(under) and len(under) == len(set(under)) and len(more) > 1
            if not groups:
                return text[start:]
            named = io.StringIO()
            csv.writer(named, delimiter=_separator(below), lineterminator="\n").writerow(_grouped(cells, under))
            return named.getvalue() + text[start + len(line) + len(below) + 2 :]
        start += len(line) + 1
    return text


def first_lines(text: str, count: int = 1) -> list[str]:
    """The first lines of a table, each whole where a quoted name or value goes on in the next.

    >>> first_lines('"Patient\\nID",label\\n1,sick\\n')
    ['"Patient\\nID",label']
    """
    found: list[str] = []
    open_ = False
    for line in text.split("\n", LINES * count + LINES)[: LINES * count + LINES]:
        if open_:
            found[-1] += f"\n{line}"
        elif len(found) == count:
            break
        else:
            found.append(line)
        open_ = found[-1].count('"') % 2 == 1
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line.strip("\r")], delimiter=_separator(line)), [])]


def _separator(line: str) -> str:
    return max(SEPARATORS, key=line.count)


def _grouped(groups: list[str], names: list[str]) -> list[str]:
    """The names, with that of their group where the two together are known and the name alone is not: `No` below `Patient`."""
    found, group = [], ""
    for at, name in enumerate(names):
        group = (groups[at] if at < len(groups) else "") or group
        together = f"{group} {name}"
        found.append(together if meaning_of(together) and not meaning_of(name) else name)
    return found


def with_names(raw: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The table with its first line as a row where that is one: it names a file, is numbered as what stands below it, or says
    that again, and none of its words is known as the name of a column. Columns are then called by their numbers.

    DataError where a second line repeats some names of columns.
    """
    names = raw.columns
    given = [name for name in names if not name.startswith("column ")]
    if not any(meaning_of(name) and not (raw[name] == name).any() for name in names) and (
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
    """Whether a name is that of a file or a path among paths, or stands below itself again as a word, or is numbered as the values
    are."""
    if re.search(ENDING, name) or (
        name.count("/") > 1 and bool((column.str.count_matches("/", literal=True) > 1).all())
    ):
        return True
    if not any(letter.isalpha() for letter in name):
        return False
    alike = column.str.replace_all(r"\d+", "0") == re.sub(r"\d+", "0", name)
    return bool((column == name).any() or (re.search(r"\d", name) and int(alike.sum() or 0) > MOST * len(alike)))


def _are_numbers(names: list[str]) -> bool:
    """Whether all names are numbers, and do not count the columns."""
    return bool(names) and all(map(str.isdecimal, names)) and names != [str(at) for at in range(len(names))]
