"""The prepared store: every case decoded, enhanced and resized once, in memory-mapped shards on disk.

A store is a folder named by the digest of all that its pixels depend on. Shards are written whole or not at all, so a
killed preparation goes on with the shard it was at, and two runs may share one folder. Beside them stands
`index.parquet`, a row an image: its shard, its row in it, and the content of the file and the frame that it was made of.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import RunFolder, atomic, digest, sweep
from evenray.core.threads import ONE_THREAD
from evenray.core.types import Dataset, Image
from evenray.images.contrast import enhance, settled
from evenray.images.readers import read

__all__ = ["Store", "fit", "prepare", "store_folder"]

VERSION = 1
SHARD = 512
HOUR = 3600.0
HEADER = 128  # bytes that numpy writes before the pixels
CAN_FORGET = hasattr(mmap, "MADV_DONTNEED")

Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]


class Mapped(Sequence[NDArray[Any]]):
    """Arrays on disk, memory-mapped as they are looked at; millions of images have more shards than may be open.

    `forget` lets go of the pages that were read, which else count as this process's memory as long as there is any.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(map(str, paths))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: Any) -> Any:
        return _mapped(self.paths[number])

    def forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            mapped: Any = _mapped(self.paths[number])
            mapped.base.madvise(mmap.MADV_DONTNEED)


@lru_cache(maxsize=256)
def _mapped(path: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(path, mmap_mode="r")
    return array


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
        taken = np.empty((len(rows), *self.shards[0].shape[1:]), self.shards[0].dtype)
        shard, inside = np.divmod(rows, SHARD)
        for i, (s, r) in enumerate(zip(shard.tolist(), inside.tolist(), strict=True)):
            taken[i] = self.shards[s][r]
        if isinstance(self.shards, Mapped) and CAN_FORGET:
            self.shards.forget(np.unique(shard).tolist())
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


def store_folder(run: RunFolder) -> Path:
    """Where stores are kept: $EVENRAY_STORE, to share them between runs, else inside the run folder."""
    return Path(os.environ.get("EVENRAY_STORE", run / "store"))


def prepare(
    dataset: Dataset, contrasts: Sequence[str], *, size: int, channels: int, folder: Path, map: Map = map,
) -> dict[str, Store]:  # fmt: skip
    """One store for each contrast, decoding every file once for all of them; what stands already is not made again.

    Rows stand in the order of `dataset.cases`. Images keep their aspect: they are fitted into `size` x `size` and the
    rest is black. Depth: uint8 where every case has 8 bits or fewer, else uint16. The grey range is that of the scan.
    """
    value_range = dataset.facts.get("value_range")
    value_range = None if value_range is None else (float(value_range[0]), float(value_range[1]))
    scale = 255 if max(dataset.cases["bits"]) <= 8 else 65535
    content = _content(dataset)
    folders = {
        contrast: folder / digest([VERSION, settled(contrast)[0], size, channels, scale, value_range, content])[:24]
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
    with atomic(folder / "index.parquet") as path:
        dataset.cases.select(*places, "sha256", "fragment").write_parquet(path)


def _open(folder: Path, scale: int) -> Store:
    return Store(Mapped(sorted(folder.glob("[0-9]*.npy"))), scale, folder.name)


def _write(work: Work) -> int:
    shape = _shape(len(work.cases), work.size, work.channels)
    dtype = np.uint8 if work.scale == 255 else np.uint16
    shards = {contrast: np.empty(shape, dtype) for contrast, _ in work.targets}
    with ONE_THREAD:
        for row, (file, fragment, value_range) in enumerate(work.cases):
            image = read(Path(work.root) / file, fragment=fragment, value_range=value_range)
            for contrast, shard in shards.items():
                shard[row] = fit(enhance(image, contrast), work.size, work.channels, work.scale)
    for contrast, path in work.targets:
        with atomic(Path(path)) as temporary, temporary.open("wb") as out:
            np.save(out, shards[contrast])
    return len(work.cases)


def fit(image: Image, size: int, channels: int, scale: int) -> NDArray[Any]:
    """An image fitted into a square: (size, size) or (size, size, 3), black to `scale` over its levels, missing black.

    >>> fit(Image(np.full((2, 4), 9, np.uint8), (0, 9)), 4, 1, 255)[:, 0]
    array([  0, 255, 255,   0], dtype=uint8)
    """
    low, high = image.value_range
    pixels: NDArray[Any] = image.pixels.astype(np.float32)
    if image.valid is not None:
        pixels[~image.valid] = low
    if channels == 1 and image.channels == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    ratio = size / max(image.shape)
    rows, columns = (max(1, round(side * ratio)) for side in image.shape)
    how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    small = cv2.resize(pixels, (columns, rows), interpolation=how)
    small = np.clip((small - low) * (scale / (high - low)) + 0.5, 0, scale)
    dtype = np.uint8 if scale == 255 else np.uint16
    square = np.zeros((size, size, *small.shape[2:]), dtype)
    top, left = (size - rows) // 2, (size - columns) // 2
    square[top : top + rows, left : left + columns] = small
    if channels == 3 and square.ndim == 2:
        square = np.repeat(square[..., None], 3, axis=2)
    return square
