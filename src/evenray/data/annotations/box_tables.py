"""Tables of boxes: a row an object, several an image; a row without one says that the image has none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError, EvenrayError
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.data.tables.meanings import compact, is_torn, meaning_of
from evenray.data.tables.raw_table import read_raw_table
from evenray.images.readers import read

from .corners import are_corners
from .found import Annotated, Annotations, Box
from .reader_boxes import of_most_readers
from .run_tables import absent, class_column, image_column

__all__ = ["is_box_table", "read_box_table"]

# The names of columns, without signs: the first of each that a table has, the two lowest corners and the two highest or the sides.
CORNERS = [
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("left", "top", "right", "bottom"),
]
SIDES = [
    ("x", "y", "w", "h"),  # before those that may be the image's
    ("x", "y", "width", "height"),
    ("left", "top", "width", "height"),
    ("xmin", "ymin", "width", "height"),
]
CENTRES = [("xcenter", "ycenter", "width", "height"), ("cx", "cy", "w", "h"), ("cx", "cy", "width", "height"),
           ("xcentre", "ycentre", "width", "height")]  # fmt: skip
TEXTS = (
    "bbox",
    "box",
    "boundingbox",
    "bboxes",
    "boxes",
    "boundingboxes",
)  # a column of x, y, width and height as one text, or several
OF_BOX = re.compile(r"^(?:boundingbox|bbox|box)")
NUMBERS = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
LOOKED_AT = 64  # boxes whose images are opened
MOST_SHARE = 1.001  # coordinates up to here, not all of them whole, are shares of the image's sides
Four = tuple[float, ...]


@dataclass(frozen=True)
class _Columns:
    """Four columns, or one of texts, and how they make a box."""

    names: tuple[str, ...]
    how: str  # corners, sides or centres


def _columns(columns: Sequence[str]) -> _Columns | None:
    """The columns of boxes. All four names begin with what they are of (`bbox_x`) or none does, unless NIH's list was torn at commas.

    >>> _columns(["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"])
    _Columns(names=('Bbox [x', 'y', 'w', 'h]'), how='sides')
    >>> _columns(["file", "width", "height", "bbox_x", "bbox_y", "bbox_w", "bbox_h"]).names
    ('bbox_x', 'bbox_y', 'bbox_w', 'bbox_h')
    """
    plain = {compact(name): name for name in columns}
    of_box = {OF_BOX.sub("", short): name for short, name in plain.items() if OF_BOX.match(short)}
    torn = of_box | plain if any(map(is_torn, of_box.values())) else {}
    for named in (of_box, plain, torn):
        for how, ways in (("corners", CORNERS), ("centres", CENTRES), ("sides", SIDES)):
            for way in ways:
                if all(name in named for name in way):
                    return _Columns(tuple(named[name] for name in way), how)
    text = next((plain[name] for name in TEXTS if name in plain), None)
    return None if text is None else _Columns((text,), "sides")


def is_box_table(path: Path) -> bool:
    """Whether a table has columns of boxes."""
    with suppress(DataError):
        return _columns(read_raw_table(path).columns) is not None
    return False


@dataclass(frozen=True)
class _Row:
    file: str
    kind: str | None
    reader: str | None
    boxes: tuple[Four, ...]


def read_box_table(paths: Sequence[Path], images: Sequence[str], root: Path) -> Annotations:
    """The boxes of tables of the same columns, such as one a part: corners, or a corner or the centre with the sides; shares of the
    image's sides where none is above 1. Of several readers that is in an image which most of them drew.

    Four numbers as one text are sides, unless these would reach beyond the images. Raises DataError where no column names the
    images, or a coordinate is no number.
    """
    raws = {path: read_raw_table(path) for path in paths}
    columns = _columns(next(iter(raws.values())).columns)
    if columns is None:
        raise DataError(f"'{paths[0]}' has no columns of boxes, such as xmin, ymin, xmax, ymax or x, y, width, height.")
    alike = {path: raw for path, raw in raws.items() if set(columns.names) <= set(raw.columns)}
    rows: list[_Row] = []
    notes: list[Message] = []
    for path, raw in alike.items():
        own, lost = _rows(raw, columns, path, images, root)
        known = set(rows)  # as of a table of all parts beside those of each
        rows += [row for row in own if row not in known]
        notes += lost
    fours = [four for row in rows for four in row.boxes]
    if columns.how == "sides" and len(columns.names) == 1 and are_corners(fours, _shaped(root, rows)):
        notes.append(Message("annotations.corners", {"file": paths[0].name}))
        columns = _Columns(columns.names, "corners")
    shares = bool(fours) and max(map(max, fours)) <= MOST_SHARE and not all(
        value.is_integer() for four in fours for value in four
    )  # fmt: skip
    boxed = {row.kind or "object" for row in rows if row.boxes}
    names = tuple(sorted(boxed, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)))
    classes = ("object",) if names in (("1",), ("True",)) else names
    drawn: dict[str, dict[str | None, list[Box]]] = {}
    for row in rows:
        found = [Box(names.index(row.kind or "object"), *_corners(four, columns.how)) for four in row.boxes]
        drawn.setdefault(row.file, {}).setdefault(row.reader, []).extend(found)
    readers = {reader for of_image in drawn.values() for reader in of_image}
    if any(len(of_image) > 1 for of_image in drawn.values()):
        notes.append(Message("annotations.readers_of_boxes", {"count": len(readers)}))
    annotated = {file: Annotated(boxes=of_most_readers(list(own.values()))) for file, own in drawn.items()}
    return Annotations("detect", "box_table", annotated, classes, shares=shares, notes=tuple(notes))


def _rows(
    raw: pl.DataFrame, columns: _Columns, path: Path, images: Sequence[str], root: Path
) -> tuple[list[_Row], tuple[Message, ...]]:
    """The rows of a table that are of an image, and what is to be said of the others."""
    key, files = image_column(raw, images, path, root, columns.names)
    kind = class_column(raw, {key, *columns.names})
    reader = next((name for name in raw.columns if name != kind and meaning_of(name) == "reader"), None)
    numbers = _numbers(raw, columns, path)
    said, by = (raw[name].to_list() if name else [None] * raw.height for name in (kind, reader))
    rows = [
        _Row(files[name], said[row], by[row], numbers.get(row, ()))
        for row, name in enumerate(raw[key].to_list())
        if name in files
    ]
    return rows, absent(raw[key], files)


def _numbers(raw: pl.DataFrame, columns: _Columns, path: Path) -> dict[int, tuple[Four, ...]]:
    """The boxes of each row that has some, of four numbers each."""
    found: dict[int, tuple[Four, ...]] = {}
    for row, values in enumerate(raw.select(columns.names).iter_rows()):
        if all(value is None for value in values):
            continue
        texts = NUMBERS.findall(values[0].replace("|", " ")) if len(values) == 1 else [value or "" for value in values]
        if len(values) == 1 and not texts:  # "[]"
            continue
        try:
            all_ = tuple(float(text) for text in texts)
        except ValueError:
            all_ = ()
        if not all_ or len(all_) % 4:
            raise DataError(
                f"'{path}' has the box {' '.join(value or '(blank)' for value in values)!r} in row {row + 1}; expected four"
                " numbers, or none of them where the image has nothing."
            )
        found[row] = tuple(all_[at : at + 4] for at in range(0, len(all_), 4))
    return found


def _corners(four: Four, how: str) -> tuple[float, float, float, float]:
    a, b, c, d = four
    if how == "corners":
        return a, b, c, d
    return (a, b, a + c, b + d) if how == "sides" else (a - c / 2, b - d / 2, a + c / 2, b + d / 2)


def _shaped(root: Path, rows: Sequence[_Row]) -> Iterator[tuple[Four, tuple[int, int]]]:
    """Some boxes with the shapes of their images; what cannot be read is passed over."""
    boxes = [(row.file, four) for row in rows for four in row.boxes]
    for file, four in boxes[:: max(1, len(boxes) // LOOKED_AT)][:LOOKED_AT]:
        with suppress(EvenrayError, OSError):
            yield four, read(as_path(root / file)).shape
