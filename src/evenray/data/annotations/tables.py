"""Tables of boxes or of masks as runs: a row an object, several an image; a row without one says that the image has none."""

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
from evenray.data.tables.match_paths import match_paths
from evenray.data.tables.meanings import compact, meaning_of, weak_label
from evenray.data.tables.raw_table import read_raw_table
from evenray.data.tables.run_columns import are_steps, run_columns
from evenray.images.readers import read

from .found import Annotated, Annotations, Box, MaskFile
from .runs import BY_ROW, by_row, from_steps

__all__ = ["image_column", "is_box_table", "is_run_table", "read_box_table", "read_run_table"]

# The names of columns, without signs: the first of each that a table has, the two lowest corners and the two highest or the sides.
CORNERS = [
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("left", "top", "right", "bottom"),
]
SIDES = [
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("xmin", "ymin", "width", "height"),
]
CENTRES = [("xcenter", "ycenter", "width", "height"), ("cx", "cy", "w", "h"), ("cx", "cy", "width", "height"),
           ("xcentre", "ycentre", "width", "height")]  # fmt: skip
TEXTS = ("bbox", "box", "boundingbox")  # a column of x, y, width and height as one text
NUMBERS = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
LOOKED_AT = 8  # images whose runs are drawn to see how they go
MOST_SHARE = 1.001  # coordinates up to here, not all of them whole, are shares of the image's sides


@dataclass(frozen=True)
class _Columns:
    """Four columns, or one of texts, and how they make a box."""

    names: tuple[str, ...]
    how: str  # corners, sides or centres


def _columns(columns: Sequence[str]) -> _Columns | None:
    plain = {compact(name): name for name in columns}
    for how, ways in (("corners", CORNERS), ("centres", CENTRES), ("sides", SIDES)):
        for way in ways:
            if all(name in plain for name in way):
                return _Columns(tuple(plain[name] for name in way), how)
    text = next((plain[name] for name in TEXTS if name in plain), None)
    return None if text is None else _Columns((text,), "sides")


def is_box_table(path: Path) -> bool:
    """Whether a table has columns of boxes."""
    raw = _raw(path)
    return raw is not None and _columns(raw.columns) is not None


def is_run_table(path: Path) -> bool:
    """Whether a table has a column of runs."""
    raw = _raw(path)
    return raw is not None and bool(run_columns(raw))


def _raw(path: Path) -> pl.DataFrame | None:
    try:
        return read_raw_table(path)
    except DataError:
        return None


def image_column(raw: pl.DataFrame, images: Sequence[str], path: Path) -> tuple[str, dict[str, str]]:
    """The column of a raw table that names the images, and the file of each of its values; DataError where there is none."""
    best: tuple[int, str, dict[str, str]] = (0, "", {})
    for name in raw.columns:
        values = raw[name].drop_nulls().unique(maintain_order=True)
        found = match_paths(values.to_list(), images).found
        if len(found) > best[0]:
            best = (len(found), name, found)
    if not best[0]:
        shown = ", ".join(f"'{name}'" for name in raw.columns[:6])
        raise DataError(
            f"No column of '{path}' ({shown}) names one of the {len(images)} images, such as '{images[0] if images else ''}'; it must"
            " have one of paths or names of files."
        )
    return best[1], best[2]


def _class_column(raw: pl.DataFrame, taken: set[str]) -> str | None:
    free = [name for name in raw.columns if name not in taken]
    named = [
        name
        for name in free
        if meaning_of(name) == "label" or compact(name) in ("classid", "categoryid", "classname", "class")
    ]
    named = named or [name for name in free if weak_label(name)]
    words = [name for name in named if not raw[name].drop_nulls().str.contains(r"^\d+(\.0)?$").all()]
    return next(iter(words or named), None)


def read_box_table(path: Path, images: Sequence[str]) -> Annotations:
    """The boxes of a table: corners, or a corner or the centre with the sides; shares of the image's sides where none is above 1.

    Raises DataError where no column names the images, or a coordinate is no number.
    """
    raw = read_raw_table(path)
    columns = _columns(raw.columns)
    if columns is None:
        raise DataError(f"'{path}' has no columns of boxes, such as xmin, ymin, xmax, ymax or x, y, width, height.")
    key, files = image_column(raw, images, path)
    kind = _class_column(raw, {key, *columns.names})
    numbers = _numbers(raw, columns, path)
    shares = bool(len(numbers)) and max(map(max, numbers.values())) <= MOST_SHARE and not all(
        value.is_integer() for four in numbers.values() for value in four
    )  # fmt: skip
    said = raw[kind].to_list() if kind is not None else [None] * raw.height
    boxed = {str(said[row] or "object") for row in numbers}
    names = tuple(sorted(boxed, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)))
    classes = ("object",) if names in (("1",), ("True",)) else names
    boxes: dict[str, list[Box]] = {}
    for row, name in enumerate(raw[key].to_list()):
        file = files.get(name)
        if file is None:
            continue
        own = boxes.setdefault(file, [])
        if row in numbers:
            own.append(Box(names.index(str(said[row] or "object")), *_corners(numbers[row], columns.how)))
    notes = _absent(raw[key], files)
    return Annotations(
        "detect",
        "box_table",
        {file: Annotated(boxes=tuple(own)) for file, own in boxes.items()},
        classes,
        shares=shares,
        notes=notes,
    )


def _numbers(raw: pl.DataFrame, columns: _Columns, path: Path) -> dict[int, tuple[float, ...]]:
    """The four numbers of each row that has them."""
    found: dict[int, tuple[float, ...]] = {}
    for row, values in enumerate(raw.select(columns.names).iter_rows()):
        if any(value is None for value in values):
            continue
        texts = NUMBERS.findall(values[0].replace("|", " ")) if len(values) == 1 else list(values)
        try:
            four = tuple(float(text) for text in texts)
        except ValueError:
            four = ()
        if len(four) != 4:
            raise DataError(
                f"'{path}' has the box {' '.join(values)!r} in row {row + 1}; expected four numbers, or none of them."
            )
        found[row] = four
    return found


def _corners(four: tuple[float, ...], how: str) -> tuple[float, float, float, float]:
    a, b, c, d = four
    if how == "corners":
        return a, b, c, d
    return (a, b, a + c, b + d) if how == "sides" else (a - c / 2, b - d / 2, a + c / 2, b + d / 2)


def _absent(key: pl.Series, files: dict[str, str]) -> tuple[Message, ...]:
    lost = key.drop_nulls().n_unique() - len(files)
    return (Message("annotations.files_absent", {"count": lost}),) if lost else ()


def read_run_table(root: Path, path: Path, images: Sequence[str]) -> Annotations:
    """The masks of a table with a column of runs (start from 1 and length), "" or -1 where there is nothing. The runs go column by
    column, unless the masks of the first images, which lie below `root`, fall to pieces by that. Where starts do not rise, they
    count from the end of the run before.
    """
    raw = read_raw_table(path)
    runs = next(iter(run_columns(raw)), None)
    if runs is None:
        raise DataError(f"'{path}' has no column of runs, such as '1 3 10 5'.")
    key, files = image_column(raw, images, path)
    steps = are_steps(raw[runs].drop_nulls().to_list())
    if steps:
        raw = raw.with_columns(pl.col(runs).map_elements(_from_steps, return_dtype=pl.String))
    kind = _class_column(raw, {key, runs})
    said = raw[kind].fill_null("").to_list() if kind is not None else [""] * raw.height
    marked = [value not in (None, "-1") for value in raw[runs].to_list()]
    names = tuple(sorted({name for name, there in zip(said, marked, strict=True) if there}))
    some = [
        (files[name], text)
        for name, text, there in zip(raw[key], raw[runs], marked, strict=True)
        if there and name in files
    ]
    start = BY_ROW if by_row(_shaped(root, some)) else ""
    masks: dict[str, list[MaskFile]] = {}
    for name, text, of, there in zip(raw[key].to_list(), raw[runs].to_list(), said, marked, strict=True):
        file = files.get(name)
        if file is None:
            continue
        own = masks.setdefault(file, [])
        if there:
            own.append(MaskFile(runs=start + text, index=names.index(of) + 1))
    classes = tuple(name or "foreground" for name in names) or ("foreground",)
    told = [code for code, so in (("annotations.by_row", start), ("annotations.steps", steps)) if so]
    notes = (*map(Message, told), *_absent(raw[key], files))
    annotated = {file: Annotated(tuple(own)) for file, own in masks.items()}
    return Annotations("segment", "run_table", annotated, classes, notes=notes)


def _from_steps(text: str) -> str:
    try:
        return from_steps(text)
    except ValueError:  # "-1", or what is no pairs, which its image will tell
        return text


def _shaped(root: Path, masks: Sequence[tuple[str, str]]) -> Iterator[tuple[str, tuple[int, int]]]:
    """The runs of some images with the shapes of these; what cannot be read is passed over."""
    for file, text in masks[:LOOKED_AT]:
        with suppress(EvenrayError, OSError):
            yield text, read(as_path(root / file)).shape
