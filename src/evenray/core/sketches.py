"""Sketches: arrays with one row a case (histogram, thumbnail, fingerprint), on disk, of which only the asked rows are read.

They are ordinary .npy files. They are read, not mapped: mapped pages would count as memory of the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from .artefacts import atomic
from .errors import DataError

__all__ = ["OnDisk", "Rows", "Sketching", "blocks", "on_disk", "write_rows"]

BLOCK = 8192  # rows that are read or written at once: memory stays flat however many there are
DENSE = 4  # rows that lie closer together than this are read in one piece

Numbers = NDArray[np.int64]


class Rows(Protocol):
    """Rows that can be asked for by number: an array in memory, or one on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Numbers, /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class OnDisk:
    """A .npy file whose rows are read when they are asked for, `rows` int64 (n,), into an array (n, ...).

    Raises DataError where the file is gone, is no such file or has been cut short.
    """

    path: Path

    def __len__(self) -> int:
        with self._open() as file:
            return int(self._header(file)[1][0])

    def __getitem__(self, rows: Numbers, /) -> NDArray[Any]:
        with self._open() as file:
            dtype, (count, *shape), start = self._header(file)
            found = np.empty((len(rows), *shape), dtype)
            if not len(rows):
                return found
            first, last = int(rows.min()), int(rows.max())
            if not 0 <= first <= last < count:
                raise IndexError(f"row {first if first < 0 else last} of {count}")
            size = found[0].nbytes
            if last - first < DENSE * len(rows):
                span = np.empty((last - first + 1, *shape), dtype)
                self._fill(file, span, start + first * size)
                return np.asarray(span[rows - first])
            for place, row in enumerate(rows.tolist()):
                self._fill(file, found[place : place + 1], start + row * size)
            return found

    def _open(self) -> BinaryIO:
        try:
            return self.path.open("rb", buffering=0)
        except OSError as error:
            raise DataError(f"{self.path} cannot be read ({error.strerror}); 'evenray scan' makes it anew.") from error

    def _header(self, file: BinaryIO) -> tuple[np.dtype[Any], tuple[int, ...], int]:
        try:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        except ValueError as error:
            raise DataError(f"{self.path} is no array of rows; 'evenray scan' makes it anew.") from error
        return dtype, shape, file.tell()

    def _fill(self, file: BinaryIO, target: NDArray[Any], offset: int) -> None:
        view = target.data.cast("B")
        file.seek(offset)
        while len(view):
            got = file.readinto(view)  # type: ignore[attr-defined]
            if not got:
                raise DataError(f"{self.path} has been cut short; 'evenray scan' makes it anew.")
            view = view[got:]


class Sketching:
    """Where a scan puts the arrays of its pieces, in order: into files of `folder`, or without one into memory.

    Files appear when the block ends well, and not at all when it does not. `rows` then has every array by name.

    >>> with Sketching(None) as sketching:
    ...     sketching.add({"mean": np.array([1.0, 2.0])})
    ...     sketching.add({"mean": np.array([3.0])})
    >>> sketching.rows["mean"]
    array([1., 2., 3.])
    """

    def __init__(self, folder: Path | None) -> None:
        self.rows: dict[str, Rows] = {}
        self._folder, self._stack = folder, ExitStack()
        self._pieces: dict[str, list[NDArray[Any]]] = {}
        self._files: dict[str, _Growing] = {}

    def __enter__(self) -> Sketching:
        self._stack.__enter__()
        return self

    def add(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Append the rows of one piece, (n, ...) each; the same names, shapes and dtypes every time."""
        for name, array in arrays.items():
            if self._folder is None:
                self._pieces.setdefault(name, []).append(array)
            else:
                if name not in self._files:
                    temporary = self._stack.enter_context(atomic(self._folder / f"{name}.npy"))
                    self._files[name] = self._stack.enter_context(_Growing(temporary, array))
                self._files[name].append(array)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stack.__exit__(kind, error, trace)
        finally:
            if error is not None and self._folder:
                with suppress(OSError):  # where it holds something else
                    self._folder.rmdir()
        if error is None:
            self.rows |= {name: np.concatenate(pieces) for name, pieces in self._pieces.items()}
            self.rows |= {name: OnDisk(self._folder / f"{name}.npy") for name in self._files if self._folder}


class _Growing:
    """A .npy file that is appended to; numpy leaves room in the header for the number of rows to grow."""

    def __init__(self, path: Path, like: NDArray[Any]) -> None:
        self.count, self.like = 0, like[:0]
        self.file = path.open("wb")
        self._head()

    def __enter__(self) -> _Growing:
        return self

    def append(self, rows: NDArray[Any]) -> None:
        if rows.dtype != self.like.dtype or rows.shape[1:] != self.like.shape[1:]:
            raise ValueError(f"rows of {rows.dtype} {rows.shape[1:]} after {self.like.dtype} {self.like.shape[1:]}")
        self.file.write(np.ascontiguousarray(rows).data)
        self.count += len(rows)

    def __exit__(self, *error: object) -> None:
        with self.file:
            self.file.seek(0)
            self._head()

    def _head(self) -> None:
        shape = (self.count, *self.like.shape[1:])
        about = {"descr": np.lib.format.dtype_to_descr(self.like.dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.file, about)


def on_disk(folder: Path) -> dict[str, Rows]:
    """The arrays that stand in a folder, by name."""
    return {path.stem: OnDisk(path) for path in sorted(folder.glob("*.npy"))}


def blocks(count: int) -> Iterator[Numbers]:
    """The numbers 0 to `count` in blocks of 8,192.

    >>> [len(block) for block in blocks(10_000)]
    [8192, 1808]
    """
    for start in range(0, count, BLOCK):
        yield np.arange(start, min(start + BLOCK, count))


def write_rows(folder: Path, rows: Mapping[str, Rows]) -> None:
    """Write arrays as files of a folder; those that stand there already stay."""
    for name, each in rows.items():
        if isinstance(each, OnDisk) and each.path == folder / f"{name}.npy":
            continue
        with Sketching(folder) as sketching:
            for block in blocks(len(each)):
                sketching.add({name: each[block]})
