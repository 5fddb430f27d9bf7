"""The prepared store: every case decoded, enhanced and resized once, in memory-mapped shards on disk.

A store is a folder named by the digest of all that its pixels depend on. Shards are written whole or not at all, so a
killed preparation goes on with the shard it was at, and two runs may share one folder. Beside them stands
`index.parquet`, a row an image: its shard, its row in it, and the content of the file and the frame that it was made of.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import atomic, digest, sweep
from evenray.core.budget import begin_part
from evenray.core.errors import DataError
from evenray.core.names import as_path, in_utf8
from evenray.core.types import Dataset
from evenray.images.contrast import enhance, fix_references
from evenray.images.readers import read

from .letterbox import letterbox

__all__ = ["Mapped", "Store", "prepare", "store_folder"]

VERSION = 1
SHARD = 512
HOUR = 3600.0
HEADER = 128  # bytes that numpy writes before the pixels

Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]


class Mapped(Sequence[NDArray[Any]]):
    """Arrays on disk, each mapped anew when it is asked for, so there may be more of them than files may be open.

    `read` takes single rows without mapping: thirty times faster, and no page of the file counts as memory of the process.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(map(str, paths))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: Any) -> Any:
        return np.load(self.paths[number], mmap_mode="r")

    @cached_property
    def like(self) -> NDArray[Any]:
        """An array without rows, of the shape and dtype of all."""
        return np.array(self[0][:0])

    def read(self, number: int, rows: NDArray[np.int64]) -> NDArray[Any]:
        """The asked rows of one of the arrays; DataError where it has been cut short."""
        found = np.empty((len(rows), *self.like.shape[1:]), self.like.dtype)
        with Path(self.paths[number]).open("rb", buffering=0) as file:
            for taken, row in zip(found, rows.tolist(), strict=True):
                file.seek(HEADER + row * taken.nbytes)
                if file.readinto(taken.data.cast("B")) != taken.nbytes:
                    raise DataError(
                        f"{self.paths[number]} has been cut short; remove it, and run the same command again."
                    )
        return found


@dataclass(frozen=True)
class Store:
    """Prepared pixels: `shards` are (n, size, size[, 3]) of uint8 or uint16, all of SHARD rows but the last; `scale` is white.

    `store[indices]` copies the asked rows into one array. `name` stands for all that the pixels depend on.
    """

    shards: Sequence[NDArray[Any]]
    scale: int
    name: str = ""

    def __len__(self) -> int:
        return (len(self.shards) - 1) * SHARD + len(self.shards[-1])

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        shards = self.shards
        like = shards.like if isinstance(shards, Mapped) else shards[0]
        taken = np.empty((len(rows), *like.shape[1:]), like.dtype)
        shard, inside = np.divmod(rows, SHARD)
        for number in np.unique(shard).tolist():
            asked = shard == number
            row = inside[asked]
            taken[asked] = shards.read(number, row) if isinstance(shards, Mapped) else shards[number][row]
        return taken


@dataclass(frozen=True)
class Work:
    """One shard to write: which cases, and how they are to look, for each contrast asked for."""

    root: str
    cases: tuple[tuple[str, str, tuple[float, float] | None], ...]
    targets: tuple[tuple[str, str], ...]  # (contrast, path of the shard)
    size: int
    channels: int
    scale: int

    def without(self, part: int, reason: str) -> Work:
        """A case cannot be left out of a shard; DataError says which one it was."""
        file, fragment, _ = self.cases[part]
        raise DataError(
            f"{file}{fragment and '#'}{fragment} could be read by the scan and cannot any more: it {reason}. Leave it out"
            " with --exclude, and run the same command again."
        )


def store_folder(run: Path) -> Path:
    """Where stores are kept: $EVENRAY_STORE, to share them between runs, else inside the run folder."""
    return Path(os.environ.get("EVENRAY_STORE", run / "store"))


def prepare(
    dataset: Dataset, contrasts: Sequence[str], *, size: int, channels: int, folder: Path, map: Map = map,
) -> dict[str, Store]:  # fmt: skip
    """One store for each contrast, decoding every file once for all of them; what stands already is not made again.

    Rows stand in the order of `dataset.cases`. Images keep their aspect: they are fitted into `size` x `size` and the
    rest is black. Depth: uint8 where every case has 8 bits or fewer, else uint16. The grey range is that of the scan.
    """
    value_range = dataset.facts.value_range
    scale = 255 if max(dataset.cases["bits"]) <= 8 else 65535
    content = _content(dataset)
    folders = {
        contrast: folder
        / digest([VERSION, fix_references(contrast)[0], size, channels, scale, value_range, content])[:24]
        for contrast in contrasts
    }
    work = []
    for start in range(0, len(dataset), SHARD):
        targets = tuple((c, str(f / f"{start // SHARD:06d}.npy")) for c, f in folders.items())
        shape = _shape(min(SHARD, len(dataset) - start), size, channels)
        targets = tuple((c, path) for c, path in targets if not _whole(Path(path), shape, scale))
        if targets:
            rows = dataset.cases.select("file", "fragment")[start : start + SHARD].iter_rows()
            cases = tuple((file, fragment, value_range) for file, fragment in rows)
            work.append(Work(dataset.root, cases, targets, size, channels, scale))
    for path in folders.values():
        sweep(path, older=HOUR)
    for _ in map(_write, work):
        pass
    for path in folders.values():
        _index(dataset, path)
    return {contrast: _open(path, scale) for contrast, path in folders.items()}


def _shape(rows: int, size: int, channels: int) -> tuple[int, ...]:
    return (rows, size, size) + ((3,) if channels == 3 else ())


def _whole(path: Path, shape: tuple[int, ...], scale: int) -> bool:
    """Whether a shard stands with all its bytes; one that a crash of the machine cut off is written again."""
    return path.exists() and path.stat().st_size == HEADER + math.prod(shape) * (1 if scale == 255 else 2)


def _content(dataset: Dataset) -> str:
    """The digest of what the pixels are made of, file by file and frame by frame, in pieces of a hundred thousand."""
    found = hashlib.sha256()
    for piece in dataset.cases.select("sha256", "fragment").iter_slices(100_000):
        found.update(digest(piece.rows()).encode())
    return found.hexdigest()


def _index(dataset: Dataset, folder: Path) -> None:
    if (folder / "index.parquet").exists():
        return
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    places = [row.alias("row"), (row // SHARD).alias("shard"), (row % SHARD).alias("offset")]
    with atomic(folder / "index.parquet") as path, in_utf8(path) as named:
        dataset.cases.select(*places, "sha256", "fragment").write_parquet(named)


def _open(folder: Path, scale: int) -> Store:
    return Store(Mapped(sorted(folder.glob("[0-9]*.npy"))), scale, folder.name)


def _write(work: Work) -> int:
    shape = _shape(len(work.cases), work.size, work.channels)
    dtype = np.uint8 if work.scale == 255 else np.uint16
    shards = {contrast: np.empty(shape, dtype) for contrast, _ in work.targets}
    for row, (file, fragment, value_range) in enumerate(work.cases):
        begin_part(row)
        image = read(as_path(Path(work.root, file)), fragment=fragment, value_range=value_range)
        for contrast, shard in shards.items():
            shard[row] = letterbox(enhance(image, contrast), work.size, work.channels, work.scale)[0]
    for contrast, path in work.targets:
        with atomic(Path(path)) as temporary, temporary.open("wb") as out:
            np.save(out, shards[contrast])
    return len(work.cases)
