"""Tables of what a network answered, as `evenray predict` writes them, which are no truth to learn from."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

__all__ = ["ENDINGS", "are_own_answers"]

ENDINGS = (".csv", ".parquet", ".json")
COLUMNS = {"file", "fragment", "out_of_distribution", "why"}  # of every task; together nobody else has them
START = 1 << 16  # bytes
BEGINNING = '{\n  "task": "'


def are_own_answers(path: Path) -> bool:
    """Whether a file has the columns of answers, or is the JSON form of them.

    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "answers.csv"
    >>> _ = table.write_text("file,fragment,p_sick,decision,threshold,out_of_distribution,why")
    >>> are_own_answers(table)
    True
    """
    kind = path.suffix.lower()
    try:
        if kind == ".csv":
            with path.open("rb") as file:
                first = file.read(START).decode("utf-8-sig", "replace").partition("\n")[0]
            return {name.strip().strip('"') for name in first.split(",")} >= COLUMNS
        if kind == ".parquet":
            return set(pl.read_parquet_schema(path)) >= COLUMNS
        if kind == ".json":
            with path.open(encoding="utf-8", errors="replace") as text:
                if text.read(len(BEGINNING)) != BEGINNING:
                    return False
            return {"task", "engine", "out_of_distribution", "answers"} <= set(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError, pl.exceptions.PolarsError):  # whoever reads it says what is wrong
        return False
    return False
