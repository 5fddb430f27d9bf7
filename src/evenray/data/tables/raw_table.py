"""A table as it was written: every value as text, blanks as null, nothing renamed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from evenray.core.errors import DataError

from .file_kinds import refuse_table
from .header import AGAIN, with_names
from .text_table import read_text_table
from .workbook import WORKBOOKS

__all__ = ["SUFFIXES", "header_line", "read_raw_table"]

SUFFIXES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", *WORKBOOKS)
SHOWN = 5
INVISIBLE = "[\u200b\u200c\u200d\u2060\ufeff\u00ad]"


def read_raw_table(path: Path) -> pl.DataFrame:
    """A CSV, TSV, Parquet or JSON file, or the sheet of a workbook, as text. Invisible characters and the space around values go,
    composed letters are put together, rows and columns without any value are dropped, and so are repeated lines of column names
    and equal columns of one name.

    Lists become `a|b`, empty ones `[]`, and an image that a Parquet file holds beside its name becomes the name. DataError for what
    is no table, has no row, or holds images or bytes alone.
    """
    if not path.exists():
        raise DataError(f"There is no label table '{path}'.")
    if refused := refuse_table(path):
        raise DataError(
            f"The label table '{path}' {refused[0]}; give a .csv, .tsv, .parquet, .json, .jsonl or .xlsx file."
        )
    try:
        table = READERS.get(path.suffix.lower(), partial(read_text_table, what="label table"))(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"The label table '{path}' cannot be read: {str(error).splitlines()[0]}") from None
    header = table.columns
    columns = [_as_text(table[name], path) for name in header]
    names = _distinct([_plain(name) for name in header])
    found = pl.DataFrame([column.alias(name) for column, name in zip(columns, names, strict=True)])
    found = found.with_columns(_typed(found[name]) for name in found.columns)
    found = found.with_columns(pl.when(pl.all() != "").then(pl.all()))
    again = [name for name in found.columns if (first := AGAIN.fullmatch(name)) and first[1] in found.columns]
    found = found.drop(name for name in again if found[name].equals(found[AGAIN.fullmatch(name)[1]], check_names=False))  # type: ignore[index]
    found = found.select(
        name for name in found.columns if not name.startswith("column ") or found[name].null_count() < found.height
    )
    found = found.filter(~pl.all_horizontal(pl.all().is_null()))
    found = found.filter(~pl.all_horizontal(pl.col(name).eq_missing(name) for name in found.columns))
    found = found if path.suffix.lower() in READERS else with_names(found, path)
    if not found.height:
        raise DataError(f"The label table '{path}' has a line of column names and no row; expected one row an image.")
    return found


def _typed(column: pl.Series) -> pl.Series:
    """The texts as they are typed: no space around them, nothing invisible in them, letters composed."""
    if not (column.str.len_bytes() == column.str.len_chars()).all():
        column = column.str.replace_all(INVISIBLE, "").str.normalize("NFC")
    return column.str.strip_chars(" \t\r\n\u00a0\u3000")


def _read_json(path: Path) -> pl.DataFrame:
    """A list of objects, or an object a line, or one object that gives each name its label, or an object; values that are objects
    themselves are left out."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        rows = (
            json.loads(text)
            if path.suffix.lower() == ".json"
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    except ValueError as error:
        raise DataError(f"The label table '{path}' is no JSON: {error}.") from None
    if isinstance(rows, dict) and rows and not any(isinstance(value, list) for value in rows.values()):
        whole = all(isinstance(value, dict) for value in rows.values())
        if whole or not any(isinstance(value, dict) for value in rows.values()):
            rows = [{"name": name, **(value if whole else {"label": value})} for name, value in rows.items()]
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f'The label table \'{path}\' is no list of objects, such as [{{"image": "a.png", "label": "sick"}}, ...]; write it'
            " so, or as CSV."
        )
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [_plain_value(row.get(name)) for row in rows] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _plain_value(value: Any) -> str | None:
    if isinstance(value, list):
        return "|".join(str(part) for part in value if not isinstance(part, dict | list)) or (None if value else "[]")
    return None if value is None or isinstance(value, dict) else str(value)


READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet, ".json": _read_json, ".jsonl": _read_json, ".ndjson": _read_json,
}  # fmt: skip


def header_line(columns: list[str]) -> str:
    """What the first line of a table names, for an error that the wrong line may have caused."""
    named = [name for name in columns if not name.startswith("column ")]
    shown = ", ".join(f"'{name}'" for name in named[:SHOWN]) + (", ..." if len(named) > SHOWN else "")
    return f"Its first line names {shown or 'none'}; no title may stand above the names of the columns."


def _plain(name: str) -> str:
    """A name as it is typed, without the lines of a legend below it, such as `0 = unknown`."""
    name = re.sub(r"_duplicated_\d+$", "", name)
    lines = [line.strip() for line in name.splitlines() if line.strip()]
    name = " ".join([*lines[:1], *(line for line in lines[1:] if "=" not in line)]) if lines[1:] else name
    return str(_typed(pl.Series([name]))[0])


def _distinct(names: list[str]) -> list[str]:
    """The names of columns, each once: a blank one is called by its number, a repeated one by number as well.

    >>> _distinct(["", "label", "label"])
    ['column 1', 'label', 'label (2)']
    """
    found: list[str] = []
    for number, name in enumerate(names, 1):
        whole, again = name or f"column {number}", 2
        while whole in found:
            whole, again = f"{name or f'column {number}'} ({again})", again + 1
        found.append(whole)
    return found


def _as_text(column: pl.Series, path: Path) -> pl.Series:
    kind: Any = column.dtype
    if isinstance(kind, pl.Struct):
        fields = {field.name: field.dtype for field in kind.fields}
        if fields.get("path") != pl.String or not column.struct.field("path").null_count() < len(column):
            raise DataError(
                f"The table '{path}' holds the images themselves in its column '{column.name}', without names of files; write"
                " them out as files, and give a table that names them."
            )
        return column.struct.field("path").cast(pl.String)
    if isinstance(kind, pl.List | pl.Array):
        lists = column.cast(pl.List(pl.String), strict=False)
        return (
            pl.select(pl.when(lists.list.len() == 0).then(pl.lit("[]")).otherwise(lists.list.join("|")))
            .to_series()
            .alias(column.name)
        )
    if kind == pl.Binary:
        try:
            return column.cast(pl.String)
        except pl.exceptions.PolarsError:
            raise DataError(
                f"The column '{column.name}' of '{path}' holds bytes, not text; write it as text."
            ) from None
    if kind == pl.Float64 or kind == pl.Float32:
        whole = column.drop_nulls().drop_nans()
        if (whole == whole.round()).all() and (whole.abs() < 2**53).all():
            return column.cast(pl.Int64, strict=False).cast(pl.String)
    return column.cast(pl.String, strict=False)
