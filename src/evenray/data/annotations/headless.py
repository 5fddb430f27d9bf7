"""Tables of boxes that lack the line of column names, as programs for RetinaNet write them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["without_header"]

START, COORDINATES = 1 << 16, slice(1, 5)


def without_header(paths: Iterable[Path]) -> str:
    """What an error adds of the first file that has a path, four numbers or blanks and a class in every line, "" where none has."""
    for path in paths:
        if path.suffix.lower() == ".csv" and (corners := _corners(path)) is not None:
            line = "path,x1,y1,x2,y2,class" if corners else "path,x,y,width,height,class"
            return (
                f" '{path}' has boxes and no line that names its columns: write '{line}' above its first line, or what the numbers are"
                " where they are something else."
            )
    return ""


def _corners(path: Path) -> bool | None:
    """Whether the numbers of a file without names of columns may be corners; None where it is no such file."""
    with suppress(OSError, ValueError, csv.Error):
        with path.open("rb") as file:
            text = file.read(START).decode("utf-8-sig", "replace")
        if path.stat().st_size > START:  # the last line may be half of one
            text = text.rpartition("\n")[0]
        rows = [row for row in csv.reader(text.splitlines()) if row]
        if not rows or any(len(row) != 6 or not row[0] for row in rows):
            return None
        fours = [[float(cell) for cell in row[COORDINATES]] for row in rows if any(row[COORDINATES])]
        return all(x1 > x0 and y1 > y0 for x0, y0, x1, y1 in fours) if fours else None
    return None
