"""Files in, answers out: decoding goes on in threads while the network computes, a few batches ahead and no further."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError, MissingExtra, ReadError
from evenray.core.threads import ONE_THREAD
from evenray.core.types import REJECTED
from evenray.data.scan.listing import files_below
from evenray.images.readers import fragments, read

from .about import About
from .engines import Model
from .familiar import fingerprint_row

__all__ = ["Answers", "Item", "images", "items", "predict"]

AHEAD = 3  # batches that are decoded before they are needed
CHUNK = 16  # images that one thread takes at once
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Item:
    """One file to predict, by the name that its answer carries: the path as given, or below the one folder that was given.

    `lost` is why there is nothing to open, such as a folder that is shut.
    """

    file: str
    path: Path
    lost: str = ""


@dataclass(frozen=True)
class Answers:
    """What a model said of files: a row an image, in the order of the files, and the files that could not be read.

    `about` is the model's, at the prevalence that was asked for.

    Columns of `table`: file, fragment ("" for the only image of a file); p_CLASS, corrected and calibrated, for each
    class; decision, the class that it is called; threshold, from which probability of the positive class on (null with
    more than two classes); unfamiliar, whether the image is unlike the training images (null where the model cannot
    tell), and why. `about` is the model's, at the prevalence that was asked for.
    """

    table: pl.DataFrame
    rejected: pl.DataFrame
    about: About


def items(targets: Sequence[str | Path]) -> list[Item]:
    """The files of some files and folders, in order; folders as the scan lists them. DataError where there is none."""
    found: list[Item] = []
    for target in map(Path, targets):
        if target.is_dir():
            lost: list[tuple[str, str]] = []
            names = [(name, "") for name in files_below(target, lost)]
            above = f"{target.as_posix()}/" if len(targets) > 1 else ""  # two folders may hold the same name
            found += [Item(readable(f"{above}{name}"), target / name, reason) for name, reason in names + lost]
        elif target.exists():
            found.append(Item(readable(str(target)), target))
        else:
            raise DataError(f"There is no '{target}'; give image files, or folders of them.")
    if not found:
        raise DataError(f"'{targets[0]}' holds no image; give image files, or folders of them.")
    return found


def readable(name: str) -> str:
    r"""A file's name as text that can be written: bytes that are no UTF-8 as \xff.

    >>> readable("scan 1.png"), readable("bad\udcff.png")
    ('scan 1.png', 'bad\\xff.png')
    """
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def images(files: Sequence[Item]) -> int:
    """How many images some files hold, none opened but archives."""
    count = 0
    for item in files:
        try:
            count += len(fragments(item.path)) if item.path.suffix.lower() == ".npz" else 1
        except (ReadError, MissingExtra):  # told where it is read
            count += 1
    return count


def predict(
    model: Model,
    files: Sequence[Item],
    *,
    prevalence: Any = None,
    jobs: int = 0,
    tick: Callable[[int], None] = lambda files: None,
) -> Answers:
    """The answers of a model for files; what cannot be read is set aside with its reason, and the rest goes on.

    `prevalence` is the share of the positive class (or of every class) at the place of use. `jobs` threads decode (0: one
    a core). `tick` is called with the number of files that are done. A file with many frames gives its middle one, a .npz
    file all of its images.
    """
    about = model.about.at(prevalence)
    tables: list[pl.DataFrame] = []
    rejected: list[pl.DataFrame] = []
    with ONE_THREAD:  # the cores are taken already
        work = _pieces(files)
        ahead = max(2, -(-AHEAD * model.batch // CHUNK))
        ready = _told(
            mapped(lambda piece: _decoded(piece, about), work, jobs or os.cpu_count() or 1, ahead), rejected, tick
        )
        for batch in _batches(ready, model.batch):
            tables.append(_answer(model, about, batch))
    table = pl.concat(tables, how="vertical_relaxed") if tables else _answer(model, about, None)
    return Answers(table, pl.concat(rejected) if rejected else pl.DataFrame(schema=REJECTED), about)


def mapped(function: Callable[[T], U], work: Iterable[T], threads: int, ahead: int) -> Iterator[U]:
    """`map` in threads, results in order, never more than `ahead` of them waiting.

    >>> list(mapped(abs, [-1, 2, -3], threads=2, ahead=2))
    [1, 2, 3]
    """
    waiting: deque[Future[U]] = deque()
    source = iter(work)
    with ThreadPoolExecutor(threads) as pool:
        try:
            waiting.extend(pool.submit(function, one) for one in islice(source, ahead))
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(pool.submit(function, one) for one in islice(source, 1))
                yield done
        finally:
            for one in waiting:
                one.cancel()


@dataclass(frozen=True)
class _Piece:
    """Some images to decode: (item, fragment), None for the one that the scan would take; `files` end with it."""

    images: list[tuple[Item, str | None]]
    files: int


@dataclass(frozen=True)
class _Decoded:
    pixels: list[NDArray[Any]]
    rows: list[dict[str, Any]]
    rejected: list[dict[str, str]]
    files: int


def _pieces(files: Sequence[Item]) -> Iterator[_Piece]:
    plain: list[tuple[Item, str | None]] = []
    for item in files:
        if item.path.suffix.lower() != ".npz":
            plain.append((item, None))
            if len(plain) == CHUNK:
                yield _Piece(plain, len(plain))
                plain = []
            continue
        if plain:
            yield _Piece(plain, len(plain))
            plain = []
        yield from _archive(item)
    if plain:
        yield _Piece(plain, len(plain))


def _archive(item: Item) -> Iterator[_Piece]:
    try:
        names: Sequence[str | None] = fragments(item.path)
    except (ReadError, MissingExtra):
        names = [None]  # its reason is told where it is read
    for start in range(0, len(names), 4 * CHUNK):
        yield _Piece([(item, name) for name in names[start : start + 4 * CHUNK]], int(start + 4 * CHUNK >= len(names)))


def _decoded(piece: _Piece, about: About) -> _Decoded:
    found = _Decoded([], [], [], piece.files)
    for item, fragment in piece.images:
        try:
            if item.lost:
                raise ReadError(item.path, item.lost)
            if fragment is None:
                names = fragments(item.path)
                fragment = names[len(names) // 2]
            image = read(item.path, fragment=fragment, value_range=about.value_range)
            row = {"file": item.file, "fragment": fragment}
            row |= fingerprint_row(image) if about.familiar is not None else {}
            found.pixels.append(about.pixels(image))
            found.rows.append(row)
        except (ReadError, MissingExtra) as error:
            reason = error.reason if isinstance(error, ReadError) else str(error)
            found.rejected.append({"file": item.file, "reason": reason})
    return found


def _told(pieces: Iterable[_Decoded], rejected: list[pl.DataFrame], tick: Callable[[int], None]) -> Iterator[_Decoded]:
    for piece in pieces:
        if piece.rejected:
            rejected.append(pl.DataFrame(piece.rejected, schema=REJECTED))
        yield piece
        tick(piece.files)


Batch = tuple[list[NDArray[Any]], list[dict[str, Any]]]


def _batches(pieces: Iterable[_Decoded], size: int) -> Iterator[Batch]:
    pixels: list[NDArray[Any]] = []
    rows: list[dict[str, Any]] = []
    for piece in pieces:
        pixels += piece.pixels
        rows += piece.rows
        while len(rows) >= size:
            yield pixels[:size], rows[:size]
            pixels, rows = pixels[size:], rows[size:]
    if rows:
        yield pixels, rows


def _answer(model: Model, about: About, batch: Batch | None) -> pl.DataFrame:
    """The rows of one batch; of None, a table without rows."""
    K = len(about.classes)
    pixels, rows = batch or ([], [])
    p = np.zeros((0, K))
    if rows:
        x = np.stack(pixels).astype(np.float32) / np.float32(about.scale)
        x_NCHW = x[:, None] if x.ndim == 3 else np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        p = about.probabilities(model.run(x_NCHW))
    strange: list[str | None] = [None] * len(rows)
    if about.familiar is not None and rows:
        strange = ["; ".join(map(str, found)) for found in about.familiar.strange(rows)]
    schema = {
        "file": pl.String, "fragment": pl.String, **{f"p_{name}": pl.Float64 for name in about.classes},
        "decision": pl.String, "threshold": pl.Float64, "unfamiliar": pl.Boolean, "why": pl.String,
    }  # fmt: skip
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in ("file", "fragment")}
    columns |= {f"p_{name}": p[:, k] for k, name in enumerate(about.classes)}
    columns |= {
        "decision": about.decide(p), "threshold": [about.threshold] * len(rows),
        "unfamiliar": [None if found is None else bool(found) for found in strange], "why": strange,
    }  # fmt: skip
    return pl.DataFrame(columns, schema=schema)
