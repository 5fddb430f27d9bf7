"""Sketches: arrays with one row a case (histogram, thumbnail, fingerprint), on disk, of which only the asked rows are read.

They are ordinary .npy files. They are read, not mapped: mapped pages would count as memory of the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from types import TracebackType
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from .artefacts import atomic
from .errors import DataError

__all__ = ["OnDisk", "Rows", "Sketching", "blocks", "on_disk"]

BLOCK = 2048  # rows that are read or written at once: memory stays flat however many there are
DENSE = 4  # rows that lie closer together than this are read in one piece

Numbers = NDArray[np.int64]


class Rows(Protocol):
    """Rows that can be asked for by number: an array in memory, or one on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Numbers, /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class OnDisk:
    """A .npy file whose rows are read when they are asked for, `rows` int64 (n,), into an array (n, ...).

    Raises DataError where the file is gone, is no such file, has been cut short or has no such row.
    """

    path: Path

    def __len__(self) -> int:
        with self._open() as file:
            return int(self._header(file)[1][0])

    def __getitem__(self, rows: Numbers, /) -> NDArray[Any]:
        with self._open() as file:
            dtype, (count, *shape), start = self._header(file)
            if len(rows) and not 0 <= rows.min() <= rows.max() < count:
                raise self._odd(f"has {count} rows, and another one was asked for")
            found = np.empty((len(rows), *shape), dtype)
            order = np.argsort(rows, kind="stable")
            for first in range(0, len(rows), BLOCK):
                places = order[first : first + BLOCK]
                self._read(file, found, places, rows[places], start)
            return found

    def _read(self, file: BinaryIO, found: NDArray[Any], places: Numbers, rows: Numbers, start: int) -> None:
        """Rows in ascending order into their places: in one piece where they lie close together, else one by one."""
        first, last, size = int(rows[0]), int(rows[-1]), found[0].nbytes
        if last - first < DENSE * len(rows):
            span = np.empty((last - first + 1, *found.shape[1:]), found.dtype)
            self._fill(file, span, start + first * size)
            found[places] = span[rows - first]
            return
        for place, row in zip(places.tolist(), rows.tolist(), strict=True):
            self._fill(file, found[place : place + 1], start + row * size)

    def _open(self) -> BinaryIO:
        try:
            return self.path.open("rb", buffering=0)
        except OSError as error:
            raise self._odd(f"cannot be read ({error.strerror})") from error

    def _header(self, file: BinaryIO) -> tuple[np.dtype[Any], tuple[int, ...], int]:
        try:
            version = np.lib.format.read_magic(file)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        except (ValueError, SyntaxError, TokenError) as error:
            raise self._odd("is no array of rows") from error
        if version != (1, 0) or fortran or not shape or dtype.hasobject:
            raise self._odd("is no array of rows")
        return dtype, shape, file.tell()

    def _fill(self, file: BinaryIO, target: NDArray[Any], offset: int) -> None:
        view = target.data.cast("B")
        file.seek(offset)
        while len(view):
            got = file.readinto(view)  # type: ignore[attr-defined]
            if not got:
                raise self._odd("has been cut short")
            view = view[got:]

    def _odd(self, what: str) -> DataError:
        return DataError(f"{self.path} {what}; 'evenray scan' makes it anew.")


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
            for name in list(self._pieces):  # one after the other, so that little is there twice
                self.rows[name] = np.concatenate(self._pieces.pop(name))
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


def on_disk(folder: Path, count: int) -> dict[str, Rows]:
    """The arrays that stand in a folder, by name. DataError where one has not `count` rows: it belongs to another table."""
    found: dict[str, Rows] = {p.stem: OnDisk(p) for p in sorted(folder.glob("*.npy")) if not p.name.startswith(".")}
    for name, rows in found.items():
        if len(rows) != count:
            raise DataError(
                f"{folder / name}.npy has {len(rows)} rows for {count} cases; 'evenray scan' makes both anew."
            )
    return found


def blocks(count: int) -> Iterator[Numbers]:
    """The numbers 0 to `count` in blocks of 2,048.

    >>> [len(block) for block in blocks(5_000)]
    [2048, 2048, 904]
    """
    for start in range(0, count, BLOCK):
        yield np.arange(start, min(start + BLOCK, count))
