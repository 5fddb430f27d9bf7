"""The prepared store: every case decoded, enhanced and resized once, in memory-mapped shards on disk.

A store is a folder named by the digest of all that its pixels depend on. Shards are written whole or not at all, so a
killed preparation goes on with the shard it was at, and two runs may share one folder. Beside them stands
`index.parquet`, a row an image: its shard, its row in it, and the content of the file and the frame that it was made of.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import atomic, digest, sweep
from evenray.core.budget import begin_part
from evenray.core.errors import DataError, UsageError
from evenray.core.marks import MaskStruct
from evenray.core.names import as_path, in_utf8
from evenray.core.plugins import packages
from evenray.core.types import Dataset
from evenray.images.contrast import enhance, fix_references
from evenray.images.readers import read

from .annotations.reading import clean_boxes, joined
from .letterbox import Placement, letterbox

__all__ = ["Mapped", "Store", "prepare", "store_folder"]

VERSION = 1
MASKS_VERSION = 3  # outside the image they are neither background nor unknown
SHARD = 512
HOUR = 3600.0
HEADER = 128  # bytes that numpy writes before the pixels

Boxes = NDArray[np.float32]
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

    `store[indices]` copies the asked rows into one array. `name` stands for all that pixels and marks depend on. Where the task is of
    masks or boxes, `masked` are shards of masks, uint8 (n, size, size), and `boxed` the boxes of every row; both lie as the pixels do.
    """

    shards: Sequence[NDArray[Any]]
    scale: int
    name: str = ""
    masked: Sequence[NDArray[Any]] | None = None
    boxed: Sequence[Boxes] | None = None

    def __len__(self) -> int:
        return (len(self.shards) - 1) * SHARD + len(self.shards[-1])

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        return _taken(self.shards, rows)

    def masks(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The masks of some rows, uint8 (n, size, size): 0 background, k + 1 class k, 254 outside the image, 255
        unknown."""
        if self.masked is None:
            raise UsageError("The store has no masks; it was prepared for another task.")
        return _taken(self.masked, rows)

    def boxes(self, rows: NDArray[np.int64]) -> list[Boxes]:
        """The boxes of some rows, float32 (m, 5) each: class, x0, y0, x1, y1, in pixels of the store, half-open. Of an object that is
        not to be counted the class is -1 - class."""
        if self.boxed is None:
            raise UsageError("The store has no boxes; it was prepared for another task.")
        return [self.boxed[row] for row in rows.tolist()]


def _taken(shards: Sequence[NDArray[Any]], rows: NDArray[np.int64]) -> NDArray[Any]:
    """Some rows of shards, copied into one array."""
    like = shards.like if isinstance(shards, Mapped) else shards[0]
    taken = np.empty((len(rows), *like.shape[1:]), like.dtype)
    shard, inside = np.divmod(rows, SHARD)
    for number in np.unique(shard).tolist():
        asked = shard == number
        row = inside[asked]
        taken[asked] = shards.read(number, row) if isinstance(shards, Mapped) else shards[number][row]
    return taken


@dataclass(frozen=True, slots=True)
class Source:
    """What one row is made of: a frame of a file, its shape, and the structs of its masks, where the task is of masks."""

    file: str
    fragment: str
    shape: tuple[int, int]
    masks: list[MaskStruct] | None


@dataclass(frozen=True)
class Work:
    """One shard to write: which cases, and how they are to look, for each contrast asked for; and the shard of their masks, ""
    where there is none to write."""

    root: str
    cases: tuple[Source, ...]
    targets: tuple[tuple[str, str], ...]  # (contrast, path of the shard)
    size: int
    channels: int
    scale: int
    value_range: tuple[float, float] | None
    masks: str = ""

    def without(self, part: int, reason: str) -> Work:
        """A case cannot be left out of a shard; DataError says which one it was."""
        file, fragment = self.cases[part].file, self.cases[part].fragment
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
    """One store for each contrast, decoding every file once for all of them; what stands already is not made again. All have the
    masks or boxes of the data set, where its task is of these.

    Rows stand in the order of `dataset.cases`. Images keep their aspect: they are fitted into `size` x `size` and the
    rest is black. Depth: uint8 where every case has 8 bits or fewer, else uint16. The grey range is that of the scan.
    """
    value_range = dataset.facts.value_range
    scale = 255 if max(dataset.cases["bits"]) <= 8 else 65535
    content, added = _content(dataset), packages()
    folders = {
        contrast: folder
        / digest([VERSION, fix_references(contrast)[0], size, channels, scale, value_range, content, added])[:24]
        for contrast in contrasts
    }
    masks = (
        folder / digest([MASKS_VERSION, "masks", size, content, _masks(dataset), added])[:24]
        if "masks" in dataset.cases.columns
        else None
    )
    work = []
    for start in range(0, len(dataset), SHARD):
        targets = tuple((c, str(f / f"{start // SHARD:06d}.npy")) for c, f in folders.items())
        shape = _shape(min(SHARD, len(dataset) - start), size, channels)
        targets = tuple((c, path) for c, path in targets if not _whole(Path(path), shape, scale))
        mask = str(masks / f"{start // SHARD:06d}.npy") if masks is not None else ""
        mask = "" if mask and _whole(Path(mask), _shape(shape[0], size, 1), 255) else mask
        if targets or mask:
            sources = tuple(_sources(dataset.cases[start : start + SHARD]))
            work.append(Work(dataset.root, sources, targets, size, channels, scale, value_range, mask))
    for path in (*folders.values(), *([masks] if masks is not None else [])):
        sweep(path, older=HOUR)
    for _ in map(_write, work):
        pass
    for path in folders.values():
        _index(dataset, path)
    masked = Mapped(sorted(masks.glob("[0-9]*.npy"))) if masks is not None else None
    boxed = _boxes(dataset.cases, size) if dataset.facts.task == "detect" else None
    marks = "" if masks is None else masks.name
    if boxed is not None:
        marks = digest(dataset.cases["boxes"].to_list())[:24]
    return {
        contrast: replace(_open(path, scale), name=path.name + marks, masked=masked, boxed=boxed)
        for contrast, path in folders.items()
    }


def _sources(cases: pl.DataFrame) -> Iterator[Source]:
    columns = ["file", "fragment", "rows", "columns", *(["masks"] if "masks" in cases.columns else [])]
    for file, fragment, rows, width, *masks in cases.select(columns).iter_rows():
        yield Source(file, fragment, (rows, width), masks[0] if masks else None)


def _masks(dataset: Dataset) -> str:
    """The digest of what the masks are made of."""
    return digest(
        [
            dataset.cases["mask_hash"].to_list(),
            [struct and [s["indices"] for s in struct] for struct in dataset.cases["masks"].to_list()],
        ]
    )


def _boxes(cases: pl.DataFrame, size: int) -> list[Boxes]:
    """The boxes of every case in the pixels of the store."""
    found = []
    for rows, columns, boxes in cases.select("rows", "columns", "boxes").iter_rows():
        own = clean_boxes(boxes or (), (rows, columns))
        own[:, 1:] = Placement.of((rows, columns), size).boxes_from_image(own[:, 1:])
        found.append(own.astype(np.float32))
    return found


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
    masks = np.empty((len(work.cases), work.size, work.size), np.uint8) if work.masks else None
    for row, source in enumerate(work.cases):
        begin_part(row)
        if masks is not None:
            mask = joined(Path(work.root), source.masks or (), source.shape)
            masks[row] = Placement.of(source.shape, work.size).place(mask)
        if not shards:
            continue
        image = read(as_path(Path(work.root, source.file)), fragment=source.fragment, value_range=work.value_range)
        for contrast, shard in shards.items():
            shard[row] = letterbox(enhance(image, contrast), work.size, work.channels, work.scale)[0]
    kept = [(path, shards[contrast]) for contrast, path in work.targets]
    for path, array in [*kept, *([(work.masks, masks)] if masks is not None else [])]:
        with atomic(Path(path)) as temporary, temporary.open("wb") as out:
            np.save(out, array)
    return len(work.cases)
