"""The values of a table of labels in one way of writing, and what is to be said of those that are missing."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError
from evenray.core.messages import Message

from .identifiers import FEWEST_SHARED, SHARED, canonical, is_nobody
from .meanings import parts_named
from .parts import part_of
from .words import MISSING, quoted, whole_numbers

__all__ = ["cleaned", "labels_cleaned", "refuse_codes"]

FOLD = re.compile(r"(fold|cv)?[\s_-]*\d+(\.0+)?", re.IGNORECASE)
PARTS = re.compile(r"[|;,/+]")
SHOWN = 5
# Numbers that registers write for a missing value, and what all others must be below.
CODES = {-1: 99, 9: 5, 8: 4, **dict.fromkeys((-8, -9, -88, -99, -999, -9999), 9999), **dict.fromkeys((88, 99), 20),
         **dict.fromkeys((888, 999, 9999), 100)}  # fmt: skip


def labels_cleaned(column: pl.Series, path: Path) -> tuple[pl.Series, tuple[Message, ...]]:
    """Labels with missing ones as null and whole numbers without fractions; DataError where none is left."""
    lost = column.filter(column.is_in(MISSING)).unique().sort().to_list()
    words = [f"'{word}'" for word in lost if word]
    column = column.replace(dict.fromkeys(MISSING))
    _refuse_cut(column, path)
    missing, rows = column.null_count(), len(column)
    if missing == rows:
        why = f" ({', '.join(words)} taken as missing)" if words else ""
        raise DataError(
            f"None of the {rows} rows of the label table '{path}' has a label{why}; fill in the column '{column.name}', or"
            " write a class of that name in another way."
        )
    notes: tuple[Message, ...] = ()
    if missing:
        values = {"count": missing, "rows": rows, "file": path.name, "column": "label"}
        code = "scan.rows_lacking_words" if words else "scan.rows_lacking"
        notes = (Message(code, values | ({"words": words} if words else {})),)
    return column.replace(whole_numbers(column.drop_nulls().unique())), notes


def refuse_codes(column: pl.Series, path: Path) -> None:
    """DataError where labels are a few numbers in a row and one far from them, such as 9 beside 0 and 1, that codes a missing one."""
    counts = dict(column.drop_nulls().value_counts().iter_rows())
    if len(counts) < 3 or not all(re.fullmatch(r"-?\d+", word) for word in counts):
        return
    for word, count in counts.items():
        rest = sorted(int(other) for other in counts if other != word)
        inside = rest[0] in (0, 1) and rest[-1] < CODES.get(int(word), 0)
        if inside and (len(rest) > 2 or word != "-1"):  # -1 beside 0 and 1 is uncertain
            raise DataError(
                f"The column '{column.name}' of the label table '{path}' holds {count} times {word} beside"
                f" {', '.join(map(str, rest[:SHOWN]))}: where it codes that nothing is known, say --column"
                f" 'label={quoted(column.name)}:{word}=', where it is a class, --column 'label={quoted(column.name)}:{word}={word}'."
            )


def _refuse_cut(column: pl.Series, path: Path) -> None:
    """DataError where the last row's label, or the last of its findings, is the beginning of others' and stands nowhere else."""
    if column[-1] is None:
        return
    last = PARTS.split(column[-1])[-1].strip()
    parts: Counter[str] = Counter()
    for row, count in column.drop_nulls().value_counts().iter_rows():
        parts.update({part.strip(): count for part in {row, *PARTS.split(row)}})
    longer = [part for part in parts if part.startswith(last) and part != last]
    if last and longer and parts[last] == 1:
        raise DataError(
            f"The last row of the label table '{path}' has the label '{last}', which no other row has and which others begin"
            f" with, such as '{max(longer, key=len)}': it seems to be cut short. Copy the table anew, or leave out the row."
        )


def _refuse_cut_patient(column: pl.Series, path: Path) -> None:
    """DataError where a file ends within a line, and the patient of its last row is missing there alone, or is the beginning
    of others' and stands nowhere else."""
    rows, last = column.drop_nulls().to_list(), column[-1]
    if path.suffix.lower() == ".parquet" or _ends_with_a_line(path) or len(column) < FEWEST_SHARED:
        return
    cut = len(rows) == len(column) - 1 if last is None else (
        rows.count(last) == 1 and any(other.startswith(last) and other != last for other in rows)
    )  # fmt: skip
    if cut:
        what = (
            "no patient, where every other row has one"
            if last is None
            else "a patient whom no other row has and others begin with"
        )
        raise DataError(
            f"The label table '{path}' ends within a line, and its last row has {what}: it seems to be cut short. Copy the table"
            " anew, or leave out the row; a line break at the end of the file says that it is whole."
        )


def _ends_with_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4))
        return file.read().rstrip(b"\0")[-1:] in (b"\n", b"\r")


def cleaned(table: pl.DataFrame, key: str, path: Path, split: str = "") -> tuple[pl.DataFrame, list[Message]]:
    """Patients, keys and parts in one way of writing; what says nothing of a patient is null. `split` is the column of parts."""
    notes = []
    missable = [name for name in table.columns if name not in ("path", "_step", "site", "label", "findings")]
    words = {name: table[name].filter(table[name].is_in(MISSING)).unique().sort().to_list() for name in missable}
    table = table.with_columns(pl.col(missable).replace(dict.fromkeys(MISSING)))
    for name in dict.fromkeys((key, "patient")):
        if name in table.columns and not name.startswith("_") and (count := table[name].null_count()):
            values = {"count": count, "rows": table.height, "file": path.name, "column": name}
            quoted = [f"'{word}'" for word in words.get(name, ())]
            code = "scan.rows_lacking_words" if quoted else "scan.rows_lacking"
            notes.append(Message(code, values | ({"words": quoted} if quoted else {})))
    if "patient" in table.columns:
        _refuse_cut_patient(table["patient"], path)
        table, more = _patients(table, key, path)
        notes += more
    if "part" in table.columns:
        parts = _parts(table["part"], path, split)
        if parts is None:
            notes.append(Message("scan.folds", {"file": path.name}))
        table = table.drop("part") if parts is None else table.with_columns(part=parts)
    return table, notes


def _patients(table: pl.DataFrame, key: str, path: Path) -> tuple[pl.DataFrame, list[Message]]:
    spelt = table["patient"].drop_nulls().unique().to_list()
    plain = {name: canonical(name) for name in spelt}
    nobody = [name for name, one in plain.items() if is_nobody(one)]
    counts = table["patient"].value_counts()
    shared = counts.filter(pl.col("count") > SHARED * table.height)["patient"].to_list()
    if key != "patient" and table.height >= FEWEST_SHARED:
        nobody += [name for name in shared if name is not None]
    notes = []
    if nobody:
        count = int(table["patient"].is_in(nobody).sum())
        notes.append(Message("scan.nobody", {"count": count, "file": path.name}))
        table = table.with_columns(pl.col("patient").replace(dict.fromkeys(nobody)))
    if (twice := len(spelt) - len(set(plain.values()))) > 0:
        notes.append(Message("scan.patients_spelt", {"count": twice, "file": path.name}))
    return table, notes


def _numbered_parts(words: list[str], column: str) -> dict[str, str | None]:
    """What numbers mean below a column that counts the parts up, as 1, 2 and 3 below DeepLesion's `Train_Val_Test`.

    >>> _numbered_parts(["1", "3"], "Train_Val_Test"), _numbered_parts(["0", "1"], "train/test"), _numbered_parts(["1"], "fold")
    ({'1': 'train', '3': 'test'}, {'0': 'train', '1': 'test'}, {})
    """
    named = parts_named(column)
    if len(named) < 2 or not all(word.isdecimal() for word in words):
        return {}
    first = 0 if "0" in words else 1
    numbers = {word: int(word) - first for word in words}
    if max(numbers.values(), default=0) != len(named) - 1:
        return {}
    return {word: named[number] for word, number in numbers.items()}


def _parts(given: pl.Series, path: Path, column: str) -> pl.Series | None:
    """The column `part` as train, validation and test; None where it holds numbers of folds."""
    parts = {word: part_of(word) for word in given.drop_nulls().unique().sort()}
    parts |= _numbered_parts(list(parts), column)
    unknown = [word for word, part in parts.items() if part is None]
    if unknown and len(parts_named(column)) < 2 and all(FOLD.fullmatch(word) for word in parts):
        return None
    if unknown:
        raise DataError(
            f"The label table '{path}' assigns cases to the part{'s' if len(unknown) > 1 else ''}"
            f" {', '.join(repr(word) for word in unknown[:SHOWN])}; known are: train, val, test, and other words for them."
            f" Say what it means with --column 'split={quoted(column)}:{quoted(unknown[0])}=train', or leave the column out with"
            f" --column 'ignore={quoted(column)}'."
        )
    return given.replace_strict(parts, default=None, return_dtype=pl.String)
