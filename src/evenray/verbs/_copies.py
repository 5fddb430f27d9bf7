"""Enhanced copies of files: read, enhance, write, one file at a time, over as many jobs as asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from evenray.core.errors import DataError, EvenrayError, ReadError, StorageError, UsageError
from evenray.core.lost import Lost
from evenray.core.spec import without_paths
from evenray.data.audit.depth import true_range
from evenray.images import readers, writers
from evenray.images.contrast import enhance, enhance_together
from evenray.images.readers.npz import UNIT
from evenray.scale import isolated

if TYPE_CHECKING:
    import polars as pl

    from evenray.core.types import Image

__all__ = [
    "TABLES", "WITHIN", "Copied", "CopyJob", "copies", "copy", "files_of", "load_table", "proposed_range", "read_middle",
    "relative", "unit_span",
]  # fmt: skip

TABLES = (".csv", ".tsv", ".parquet")
NOT_IMAGES = {
    ".csv", ".tsv", ".parquet", ".txt", ".json", ".md", ".xml", ".html", ".pdf", ".py", ".log", ".db", ".ini", ".zip",
    ".yaml", ".yml",
}  # fmt: skip
WITHIN = (0.0, 1.0)


@dataclass(frozen=True)
class CopyJob:
    """What is done to every file of one run."""

    spec: str
    window: str = "header"
    value_range: tuple[float, float] | None = None

    @cached_property
    def note(self) -> str:
        return f"evenray {version('evenray')}: contrast {without_paths(self.spec)}"


@dataclass(frozen=True)
class Copied:
    """One file: its copy, or why there is none, and whether the command is the reason; seconds that each step took."""

    source: Path
    target: Path
    reason: str = ""
    mistaken: bool = False
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

    from evenray.data.tables.meanings import meaning_of

    found = load_table(table)
    columns = [column for column in found.columns if meaning_of(column) == "path"]
    if not columns:
        raise DataError(f"The table '{table}' has no column of paths; call it path, file or image.")
    paths = dict.fromkeys(found[columns[0]].drop_nulls().cast(pl.String).str.replace_all("\\", "/", literal=True))
    if not paths:
        raise DataError(f"The column '{columns[0]}' of '{table}' names no file.")
    return [table.parent / path for path in paths]


def load_table(path: Path) -> pl.DataFrame:
    """A .csv, .tsv or .parquet file, text as label tables take it; DataError for what is none."""
    import polars as pl

    from evenray.data.tables.text_table import read_text_table

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


def proposed_range(span: tuple[float, float]) -> str:
    """The range LOW,HIGH to give for floats that are taken to be 0 to 1 and are not; empty where they are.

    >>> proposed_range((0.0, 255.0)), proposed_range((0.0, 0.9))
    ('0,255', '')
    """
    found = true_range(*span)
    return "" if found is None else f"{found[0]:g},{found[1]:g}"


def copy(source: Path, target: Path, job: CopyJob) -> Copied:
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
    except StorageError:
        raise
    except EvenrayError as error:
        reason = error.reason if isinstance(error, ReadError) else str(error)
        return Copied(source, target, reason, isinstance(error, UsageError))
    except Exception as error:  # a library's own; one file must not end the job
        # The message of a library may quote the header, and so a patient's name: only its kind is told.
        return Copied(source, target, f"its copy cannot be written ({type(error).__name__})")
    names = ("reading", "enhancing", "writing")
    return Copied(source, target, seconds={n: b - a for n, a, b in zip(names, clock, clock[1:], strict=False)})


def copies(pairs: Sequence[tuple[Path, Path]], job: CopyJob, jobs: int) -> Iterator[Copied]:
    """Enhanced copies of (source, target) pairs, in order as they are done, in `jobs` processes (0: one a core)."""
    for pair, done in zip(pairs, isolated(jobs)(partial(_copied, job=job), pairs), strict=True):
        yield Copied(*pair, done.reason) if isinstance(done, Lost) else done


def _copied(pair: tuple[Path, Path], job: CopyJob) -> Copied:
    return copy(*pair, job)


def read_middle(path: Path, value_range: tuple[float, float] | None, window: str) -> tuple[Image, str]:
    """The image in the middle of a file, and the name of that fragment, read in a process that may die of it. ReadError."""
    found: tuple[Image, str] | Lost = next(
        iter(isolated(1)(partial(_middle, value_range=value_range, window=window), [path]))
    )
    if isinstance(found, Lost):
        raise ReadError(path, found.reason)
    return found


def _middle(path: Path, value_range: tuple[float, float] | None, window: str) -> tuple[Image, str]:
    parts = readers.fragments(path)
    part = readers.middle(parts)
    return readers.read(path, fragment=part, value_range=value_range, window=window), part
