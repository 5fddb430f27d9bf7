"""Tables of boxes: a row an object, several an image; a row without one says that the image has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError, EvenrayError
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.core.understood import UnderstoodRow
from evenray.data.tables.expressions import Asked
from evenray.data.tables.meanings import FLAGS, compact, meaning_of
from evenray.data.tables.raw_table import read_raw_table
from evenray.images.readers import read

from .box_columns import Columns, Four, box_columns, two_corners
from .box_texts import boxes_of_cells
from .class_columns import class_column, class_row, unused_columns, without_ignored
from .corners import are_corners, are_shares
from .found import Annotated, Annotations, Box
from .ignoring import NOT_SAID, is_ignored
from .reader_boxes import of_most_readers
from .run_tables import absent, image_column

__all__ = ["is_box_table", "read_box_table"]

IGNORING = ("iscrowd", "crowd", "difficult", "isdifficult", "ignore", "ignored", "isgroupof", "groupof")
LOOKED_AT = 64  # boxes whose images are opened
SHOWN = 3
NEAR = 2  # places after the point to which boxes of two tables are the same


def is_box_table(path: Path) -> bool:
    """Whether a table has columns of boxes."""
    with suppress(DataError):
        return box_columns(read_raw_table(path).columns) is not None
    return False


@dataclass(frozen=True)
class _Row:
    file: str
    kind: str | None
    reader: str | None
    ignored: bool
    boxes: tuple[tuple[Four, str], ...]  # with how they are made


@dataclass(frozen=True)
class _Settled:
    """What tables of the same columns say, with the boxes as corners; the first of them is `path`."""

    path: Path
    rows: list[_Row]
    shares: bool

    def boxes_in(self, files: set[str]) -> set[tuple[object, ...]]:
        """The boxes of some images, as they are the same in other tables."""
        return {
            (row.file, row.kind, *(round(value, NEAR) for value in four))
            for row in self.rows
            if row.file in files
            for four, _ in row.boxes
        }


def read_box_table(paths: Sequence[Path], images: Sequence[str], root: Path, asked: Asked | None = None) -> Annotations:
    """The boxes of tables, such as one a part, each by its own columns: corners, or a corner or the centre with the sides; shares of
    the image's sides where none is above 1. Of several readers that is in an image which most of them drew.

    Four numbers as one text are sides, unless these would reach beyond the images. Raises DataError where no column names the
    images, a coordinate is no number, or tables of other columns say other things of the same images.
    """
    asked = asked or Asked()
    alike: dict[tuple[str, ...], list[tuple[Path, list[_Row]]]] = {}
    notes: list[Message] = []
    understood: dict[str, UnderstoodRow] = {}
    unused: list[str] = []
    strange: list[DataError] = []
    for path in paths:
        raw = without_ignored(read_raw_table(path), asked)
        if (columns := box_columns(raw.columns)) is None:
            continue
        try:
            key, files = image_column(raw, images, path, root, columns.names)
        except DataError as error:
            strange.append(error)
            continue
        kind = class_column(raw, key, columns.names, asked)
        reader = next((name for name in raw.columns if name != kind and meaning_of(name) == "reader"), None)
        flags = [name for name in raw.columns if name not in (kind, key) and _is_flag(raw[name])]
        alike.setdefault(columns.kind, []).append((path, _rows(raw, columns, path, key, files, kind, reader, flags)))
        understood |= {row.place: row for row in class_row(raw, kind, asked)}
        unused += unused_columns(raw, (key, *columns.names, kind, reader, *flags))
        notes += absent(raw[key], files)
    if not alike and strange:
        raise strange[0]
    if not alike:
        raise DataError(f"'{paths[0]}' has no columns of boxes, such as xmin, ymin, xmax, ymax or x, y, width, height.")
    notes += [Message("annotations.tables_of_others", {"count": len(strange)})] if strange else []
    each = [_settled(tables, root, notes) for tables in alike.values()]
    rows = _together(each)
    boxed = {row.kind or "object" for row in rows if row.boxes}
    names = tuple(sorted(boxed, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)))
    classes = ("object",) if names in (("1",), ("True",)) else names
    drawn: dict[str, dict[str | None, list[Box]]] = {}
    for row in rows:
        found = [Box(names.index(row.kind or "object"), *two_corners(*box), row.ignored) for box in row.boxes]
        drawn.setdefault(row.file, {}).setdefault(row.reader, []).extend(found)
    readers = {reader for of_image in drawn.values() for reader in of_image}
    if any(len(of_image) > 1 for of_image in drawn.values()):
        notes.append(Message("annotations.readers_of_boxes", {"count": len(readers)}))
    annotated = {file: Annotated(boxes=of_most_readers(list(own.values()))) for file, own in drawn.items()}
    shares = any(one.shares for one in each)
    return Annotations(
        "detect", "box_table", annotated, classes, shares=shares, notes=tuple(notes), understood=tuple(understood.values()),
        unused=tuple(dict.fromkeys(unused)),
    )  # fmt: skip


def _rows(
    raw: pl.DataFrame, columns: Columns, path: Path, key: str, files: dict[str, str], kind: str | None, reader: str | None,
    flags: Sequence[str],
) -> list[_Row]:  # fmt: skip
    """The rows of a table that are of an image, which its column `key` names; `kind`, `reader` and `flags` are those of the class, of
    who drew it, and of what says that it counts neither way."""
    numbers = _numbers(raw, columns, path)
    said, by = (raw[name].to_list() if name else [None] * raw.height for name in (kind, reader))
    ignored = [is_ignored(*told) for told in raw.select(flags).iter_rows()] if flags else [False] * raw.height
    return [
        _Row(files[name], said[row], by[row], ignored[row], numbers.get(row, ()))
        for row, name in enumerate(raw[key].to_list())
        if name in files
    ]


def _is_flag(column: pl.Series) -> bool:
    """Whether a column says which objects count neither way: with yes or no alone, for a `difficult` may also be easy or hard."""
    words = {word.casefold() for word in column.drop_nulls().unique()}
    return compact(column.name) in IGNORING and bool(words) and words <= {*FLAGS, *NOT_SAID}


def _numbers(raw: pl.DataFrame, columns: Columns, path: Path) -> dict[int, tuple[tuple[Four, str], ...]]:
    """The boxes of each row that has some."""
    found = {}
    for row, cells in enumerate(raw.select(columns.names).iter_rows()):
        try:
            boxes = boxes_of_cells(cells, columns.how)
        except ValueError:
            raise DataError(
                f"'{path}' has the box {' '.join(value or '(blank)' for value in cells)!r} in row {row + 1}; expected four"
                " numbers, or none of them where the image has nothing."
            ) from None
        if boxes:
            found[row] = tuple(boxes)
    return found


def _settled(tables: Sequence[tuple[Path, list[_Row]]], root: Path, notes: list[Message]) -> _Settled:
    """What all tables of the same columns tell together."""
    path = tables[0][0]
    rows: list[_Row] = []
    for _, own in tables:
        known = set(rows)  # as of a table of all parts beside those of each
        rows += [row for row in own if row not in known]
    boxes = [(row.file, four, how) for row in rows for four, how in row.boxes]
    listed = [(file, four) for file, four, how in boxes if how == "listed"]
    way = "sides"
    if are_corners([four for _, four in listed], _shaped(root, listed)):
        notes.append(Message("annotations.corners", {"file": path.name}))
        way = "corners"
    made = [
        _Row(row.file, row.kind, row.reader, row.ignored, tuple(
            (two_corners(four, way if how == "listed" else how), "corners") for four, how in row.boxes
        ))
        for row in rows
    ]  # fmt: skip
    return _Settled(path, made, are_shares(four for _, four, _ in boxes))


def _together(each: Sequence[_Settled]) -> list[_Row]:
    """The rows of all tables; what tables of other columns say of the same images must be the same, and counts once."""
    rows: list[_Row] = []
    seen: set[str] = set()
    for number, one in enumerate(each):
        files = {row.file for row in one.rows}
        for before in each[:number]:
            both = files & {row.file for row in before.rows}
            if one.boxes_in(both) != before.boxes_in(both):
                example = min(both)
                raise _unlike(each, f"say other things of {len(both)} images, such as '{example}'")
        rows += [row for row in one.rows if row.file not in seen]
        seen |= files
    if len({one.shares for one in each if any(row.boxes for row in one.rows)}) > 1:
        raise _unlike(each, "have coordinates in pixels and in shares of the images' sides")
    return rows


def _unlike(each: Sequence[_Settled], what: str) -> DataError:
    shown = ", ".join(f"'{one.path}'" for one in each[:SHOWN])
    return DataError(
        f"The tables {shown} have other columns of boxes than each other, and {what}: name one with --boxes."
    )


def _shaped(root: Path, boxes: Sequence[tuple[str, Four]]) -> Iterator[tuple[Four, tuple[int, int]]]:
    """Some boxes with the shapes of their images; what cannot be read is passed over."""
    for file, four in boxes[:: max(1, len(boxes) // LOOKED_AT)][:LOOKED_AT]:
        with suppress(EvenrayError, OSError):
            yield four, read(as_path(root / file)).shape
