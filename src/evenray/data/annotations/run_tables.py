"""Tables of masks as runs: a row an object, several an image; a row without one says that the image has none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError, EvenrayError
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.data.tables.expressions import Asked
from evenray.data.tables.match_paths import ENDING
from evenray.data.tables.meanings import meaning_of
from evenray.data.tables.raw_table import read_raw_table
from evenray.data.tables.run_columns import are_steps, run_columns
from evenray.data.tables.words import quoted
from evenray.images.levels import lightness
from evenray.images.readers import read

from .class_columns import class_column, class_row, named_classes, unused_columns, without_ignored
from .found import Annotated, Annotations, MaskFile
from .pairing import near_first
from .run_order import edges_say_rows
from .runs import BY_ROW, by_row, from_steps

__all__ = ["absent", "image_column", "is_run_table", "read_run_table"]

LOOKED_AT = 16  # images whose runs are drawn to see how they go
Grey = NDArray[np.float32]


def is_run_table(path: Path) -> bool:
    """Whether a table has a column of runs."""
    raw = _raw(path)
    return raw is not None and bool(run_columns(raw))


def _raw(path: Path) -> pl.DataFrame | None:
    try:
        return read_raw_table(path)
    except DataError:
        return None


def image_column(
    raw: pl.DataFrame, images: Sequence[str], path: Path, root: Path, taken: Collection[str] = ()
) -> tuple[str, dict[str, str]]:
    """The column of a raw table, none of those `taken`, that names the images below `root`, and the file of each of its values, those
    in the table's own folder first; DataError where there is none. A name may have its folder before it, joined by a line
    (000001_01_01_109.png). A column that is called so or has names with endings comes first, then one of which most values fit.
    """
    best: tuple[tuple[float, ...], str, dict[str, str]] = ((), "", {})
    joined = {"_".join(image.split("/")[-2:]): image for image in images}
    for name in raw.columns:
        if name in taken:
            continue
        column = raw[name].drop_nulls().unique(maintain_order=True)
        values = column.to_list()
        found = near_first(values, images, path.parent, root) or {v: joined[v] for v in values if v in joined}
        if not found:
            continue
        # Images that are called by numbers are also met by row numbers and measures.
        told = (meaning_of(name) in ("path", "sop")) + bool(column.str.contains(ENDING).any())
        rank = (told, len(found) / len(values), len(found))
        if rank > best[0]:
            best = (rank, name, found)
    if not best[2]:
        shown = ", ".join(f"'{name}'" for name in raw.columns[:6])
        raise DataError(
            f"No column of '{path}' ({shown}) names one of the {len(images)} images, such as '{images[0] if images else ''}'; it must"
            " have one of paths or names of files."
        )
    return best[1], best[2]


def absent(key: pl.Series, files: dict[str, str]) -> tuple[Message, ...]:
    """What is to be said of the values of a key that name no image."""
    lost = key.drop_nulls().n_unique() - len(files)
    return (Message("annotations.files_absent", {"count": lost}),) if lost else ()


def read_run_table(root: Path, path: Path, images: Sequence[str], asked: Asked | None = None) -> Annotations:
    """The masks of a table with columns of runs (start from 1 and length), "" or -1 where there is nothing. Of several such columns
    each is a class that is called as it is, as CheXmask's `Left Lung` and `Heart` are. The runs go column by column, unless the masks
    of the first images, which lie below `root`, fall to pieces by that; of square images the edges tell, or it is said that nothing
    does. Where starts do not rise, they count from the end of the run before. `asked` is what the user says of columns.
    """
    asked = asked or Asked()
    raw = without_ignored(read_raw_table(path), asked)
    columns = run_columns(raw)
    if not columns:
        raise DataError(f"'{path}' has no column of runs, such as '1 3 10 5'.")
    key, files = image_column(raw, images, path, root, columns)
    stepped = [name for name in columns if are_steps(raw[name].drop_nulls().to_list())]
    raw = raw.with_columns(pl.col(stepped).map_elements(_from_steps, return_dtype=pl.String))
    if len(columns) > 1:
        _check_none_beside(path, raw, columns)
    kind = class_column(raw, key, columns, asked) if len(columns) == 1 else None
    said = raw[kind].fill_null("").to_list() if kind is not None else [""] * raw.height
    drawn = [
        (image, text, column if len(columns) > 1 else of)
        for column in columns
        for image, text, of in zip(raw[key].to_list(), raw[column].to_list(), said, strict=True)
    ]
    found = {of for _, text, of in drawn if text not in (None, "-1")}
    names = tuple(name for name in columns if name in found) if len(columns) > 1 else tuple(sorted(found))
    some = [(files[image], text) for image, text, _ in drawn if text not in (None, "-1") and image in files]
    seen = list(_seen(root, some))
    # Of squares both ways have as many pieces.
    untold = bool(seen) and all(grey.shape[0] == grey.shape[1] for _, grey in seen)
    by_edges = edges_say_rows(seen) if untold else None
    untold &= by_edges is None
    start = BY_ROW if by_edges or by_row((text, grey.shape) for text, grey in seen) else ""
    masks: dict[str, list[MaskFile]] = {}
    for image, text, of in drawn:
        if image not in files:
            continue
        own = masks.setdefault(files[image], [])
        if text not in (None, "-1"):
            own.append(MaskFile(runs=start + text, index=names.index(of) + 1))
    classes = tuple(name or "foreground" for name in names) or ("foreground",)
    told = [
        code
        for code, so in (
            ("annotations.by_row", start),
            ("annotations.square", untold),
            ("annotations.steps", stepped),
        )
        if so
    ]
    several = [Message("annotations.columns_of_runs", {"columns": list(columns)})] if len(columns) > 1 else []
    notes = (*several, *map(Message, told), *absent(raw[key], files))
    annotated = {file: Annotated(tuple(own)) for file, own in masks.items()}
    return Annotations(
        "segment", "run_table", annotated, classes, notes=notes, understood=class_row(raw, kind, asked),
        unused=unused_columns(raw, (key, *columns, kind)),
    )  # fmt: skip


def _check_none_beside(path: Path, raw: pl.DataFrame, columns: Sequence[str]) -> None:
    """DataError where a column of classes stands beside several columns of runs, each of which would be a class."""
    if named := named_classes([name for name in raw.columns if name not in columns]):
        raise DataError(
            f"'{path}' has several columns of runs ({', '.join(map(repr, columns))}) and a column of classes ('{named[0]}'); leave out"
            f" what does not count: --column ignore={'+'.join(map(quoted, named))} makes each column of runs a class,"
            f" --column ignore={'+'.join(map(quoted, columns[1:]))} takes the runs of '{columns[0]}' alone."
        )


def _from_steps(text: str) -> str:
    try:
        return from_steps(text)
    except ValueError:  # "-1", or what is no pairs, which its image will tell
        return text


def _seen(root: Path, masks: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Grey]]:
    """Runs of some images, one of each, with the images in grey; what cannot be read is passed over."""
    first = dict(reversed(masks))
    for file in list(dict.fromkeys(file for file, _ in masks))[:LOOKED_AT]:
        with suppress(EvenrayError, OSError):
            yield first[file], lightness(read(as_path(root / file))).astype(np.float32)
