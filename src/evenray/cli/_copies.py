"""Enhanced copies of files: read, enhance, write, one file at a time, over as many jobs as asked for."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from evenray.core.errors import DataError, MissingExtra, ReadError
from evenray.images import readers, writers
from evenray.images.contrast import enhance, enhance_together
from evenray.images.readers.npz import UNIT

if TYPE_CHECKING:
    import polars as pl

    from evenray.core.types import Image

__all__ = [
    "TABLES", "WITHIN", "Copied", "Job", "beyond", "copies", "copy", "files_of", "load_table", "relative", "shown",
    "unit_span",
]  # fmt: skip

TABLES = (".csv", ".tsv", ".parquet")
NOT_IMAGES = {
    ".csv", ".tsv", ".parquet", ".txt", ".json", ".md", ".xml", ".html", ".pdf", ".py", ".log", ".db", ".ini", ".zip",
    ".yaml", ".yml",
}  # fmt: skip
WITHIN = (0.0, 1.0)


@dataclass(frozen=True)
class Job:
    """What is done to every file of one run."""

    spec: str
    window: str = "header"
    value_range: tuple[float, float] | None = None

    @cached_property
    def note(self) -> str:
        return f"evenray {version('evenray')}: contrast {self.spec}"


@dataclass(frozen=True)
class Copied:
    """One file: its copy, or why there is none; seconds spent reading, enhancing and writing."""

    source: Path
    target: Path
    reason: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


def files_of(data: Path) -> list[Path]:
    """The files below a folder that may be images, in order; those that a table of paths names; the file itself for any
    other file. DataError where none is."""
    if data.is_file():
        return _listed(data) if data.suffix.lower() in TABLES else [data]
    if not data.is_dir():
        raise DataError(f"There is no '{data}'; give a folder of images or an image.")
    found = sorted(
        path
        for path in data.rglob("*")
        if path.is_file()
        and path.suffix.lower() not in NOT_IMAGES
        and path.name.upper() not in ("DICOMDIR", "THUMBS.DB", "LICENSE", "README")
        and not any(part.startswith(".") for part in path.relative_to(data).parts)
    )
    if not found:
        raise DataError(f"The folder '{data}' holds no image.")
    return found


def _listed(table: Path) -> list[Path]:
    """The files that the column of paths names, in order, each once; relative ones lie beside the table."""
    import polars as pl

    from evenray.data.tables.labels import NAMES

    found = load_table(table)
    columns = [c for name in NAMES["path"] for c in found.columns if c.strip().lower() == name]
    if not columns:
        raise DataError(f"The table '{table}' has no column of paths; name one of: {', '.join(NAMES['path'])}.")
    paths = dict.fromkeys(found[columns[0]].drop_nulls().cast(pl.String).str.replace_all("\\", "/", literal=True))
    if not paths:
        raise DataError(f"The column '{columns[0]}' of '{table}' names no file.")
    return [table.parent / path for path in paths]


def load_table(path: Path) -> pl.DataFrame:
    """A .csv, .tsv or .parquet file, text as label tables take it; DataError for what is none."""
    import polars as pl

    from evenray.data.tables.textual import read_text_table

    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        return read_text_table(path, numbers=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"The table '{path}' cannot be read: {str(error).splitlines()[0]}") from None


def relative(path: Path, data: Path) -> Path:
    """Where in DATA a file lies: below the folder, or below the table's folder; its whole path where in neither.

    >>> relative(Path("x/a/1.png"), Path("x/cases.csv")).as_posix()
    'a/1.png'
    """
    root = data.parent if data.suffix.lower() in TABLES and not data.is_dir() else data
    if path in (root, data):
        return Path(path.name)
    if not path.is_relative_to(root) or ".." in path.parts:
        path, root = path.resolve(), root.resolve()
    return path.relative_to(root) if path.is_relative_to(root) else Path(*path.parts[1:])


def unit_span(image: Image) -> tuple[float, float]:
    """The lowest and the highest value of floats that are taken to be 0 to 1, and 0 and 1 for any other image."""
    if image.header.get("range_from") != UNIT:
        return WITHIN
    return image.header["smallest_value"], image.header["largest_value"]


def beyond(span: tuple[float, float]) -> str:
    """What to say of floats taken to be 0 to 1 that are not; nothing where they are.

    >>> beyond((0.0, 255.0)), beyond((0.0, 0.9))
    ('values go from 0 to 255 where floats are taken to be 0 to 1: give --value-range 0,255', '')
    """
    from evenray.data.audit.depth import true_range

    found = true_range(*span)
    if found is None:
        return ""
    return (
        f"values go from {span[0]:g} to {span[1]:g} where floats are taken to be 0 to 1: give --value-range"
        f" {found[0]:g},{found[1]:g}"
    )


def copy(source: Path, target: Path, job: Job) -> Copied:
    """One enhanced copy. A file that cannot be read or written is told of, not raised."""
    clock = [time.perf_counter()]
    try:
        parts = readers.fragments(source)
        images = [readers.read(source, fragment=part, value_range=job.value_range, window=job.window) for part in parts]
        clock.append(time.perf_counter())
        volume = images[0].header.get("format") != "npz"  # the images of an archive have nothing to do with each other
        done = enhance_together(images, job.spec) if volume else [enhance(image, job.spec) for image in images]
        clock.append(time.perf_counter())
        writers.write(source, target, dict(zip(parts, done, strict=True)), job.note)
        clock.append(time.perf_counter())
    except (ReadError, DataError, MissingExtra) as error:
        return Copied(source, target, error.reason if isinstance(error, ReadError) else str(error))
    names = ("reading", "enhancing", "writing")
    return Copied(source, target, "", {n: b - a for n, a, b in zip(names, clock, clock[1:], strict=False)})


def copies(pairs: Sequence[tuple[Path, Path]], job: Job, jobs: int) -> Iterator[Copied]:
    """Enhanced copies of (source, target) pairs, in order as they are done, in `jobs` threads (0: one a core).

    Threads are enough, as decoding, look-ups and encoding leave Python free; they share the cores evenly.
    """
    from concurrent.futures import ThreadPoolExecutor

    cores = os.cpu_count() or 1
    count = min(jobs or cores, len(pairs))
    before = cv2.getNumThreads()
    cv2.setNumThreads(max(1, cores // count))
    try:
        if count == 1:
            yield from (copy(source, target, job) for source, target in pairs)
            return
        with ThreadPoolExecutor(count) as pool:
            yield from pool.map(lambda pair: copy(pair[0], pair[1], job), pairs)
    finally:
        cv2.setNumThreads(before)


def shown(path: Path, root: Path) -> str:
    """The name of a file for a page, without the identifiers that the file itself holds."""
    name = relative(path, root).as_posix()
    found = [value for value in readers.identity(path).values() if isinstance(value, str)]
    pieces = {piece for value in found for piece in (value, *re.split(r"[\^=,\s]+", value)) if len(piece) > 2}
    for piece in sorted(pieces, key=len, reverse=True):  # a name is Family^Given in the header, Family_Given in a path
        name = re.sub(re.escape(piece), "***", name, flags=re.IGNORECASE)
    return name
