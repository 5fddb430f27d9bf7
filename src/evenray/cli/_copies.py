"""Enhanced copies of files: read, enhance, write, one file at a time, over as many jobs as asked for."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import cv2

from evenray import readers, writers
from evenray.contrast import enhance, enhance_together
from evenray.core.errors import DataError, MissingExtra, ReadError

__all__ = ["Copied", "Job", "copies", "copy", "files_of", "shown"]

NOT_IMAGES = {
    ".csv", ".tsv", ".parquet", ".txt", ".json", ".md", ".xml", ".html", ".pdf", ".py", ".log", ".db", ".ini", ".zip",
    ".yaml", ".yml",
}  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What is done to every file of one run."""

    spec: str
    window: str = "header"
    levels: tuple[float, float] | None = None

    @property
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
    """The files below a folder that may be images, in order; the file itself for a file. DataError where none is."""
    if data.is_file():
        return [data]
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


def copy(source: Path, target: Path, job: Job) -> Copied:
    """One enhanced copy. A file that cannot be read or written is told of, not raised."""
    clock = [time.perf_counter()]
    try:
        parts = readers.fragments(source)
        images = [readers.read(source, fragment=part, levels=job.levels, window=job.window) for part in parts]
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
    name = path.relative_to(root).as_posix() if path != root else path.name
    found = [value for value in readers.identity(path).values() if isinstance(value, str)]
    pieces = {piece for value in found for piece in (value, *re.split(r"[\^=,\s]+", value)) if len(piece) > 2}
    for piece in sorted(pieces, key=len, reverse=True):  # a name is Family^Given in the header, Family_Given in a path
        name = re.sub(re.escape(piece), "***", name, flags=re.IGNORECASE)
    return name
