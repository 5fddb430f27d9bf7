"""Sketches: arrays with one row a case (histogram, thumbnail, fingerprint), on disk, of which only the asked rows are read.

They are ordinary .npy files. Each request maps the file anew, as pages of a lasting map would count as memory of the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .artefacts import atomic
from .errors import DataError

__all__ = ["OnDisk", "Rows", "SketchWriter", "blocks", "open_sketches"]

BLOCK = 2048  # rows that are read or written at once: memory stays flat however many there are


class Rows(Protocol):
    """Rows that can be asked for by number: an array in memory, or one on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: NDArray[np.int64], /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class OnDisk:
    """A .npy file whose rows are read when they are asked for, `rows` int64 (n,), into an array (n, ...).

    Raises DataError where the file is gone, is no such file, has been cut short or has no such row.
    """

    path: Path

    def __len__(self) -> int:
        return len(self._mapped())

    def __getitem__(self, rows: NDArray[np.int64], /) -> NDArray[Any]:
        array = self._mapped()
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(array):
            raise self._error(f"has {len(array)} rows, and another one was asked for")
        return np.asarray(array)[rows]

    def _mapped(self) -> np.memmap[Any, Any]:
        try:
            array = np.lib.format.open_memmap(self.path, mode="r")
        except OSError as error:
            raise self._error(f"cannot be read ({error.strerror})") from error
        except (ValueError, SyntaxError, TokenError) as error:
            short = "greater than file size" in str(error)
            raise self._error("has been cut short" if short else "is no array of rows") from error
        if not array.ndim or not array.flags.c_contiguous:
            raise self._error("is no array of rows")
        return array

    def _error(self, what: str) -> DataError:
        return DataError(f"{self.path} {what}; 'evenray scan' makes it anew.")


class SketchWriter:
    """Where a scan puts the arrays of its pieces, in order: into files of `folder`, or without one into memory.

    Files appear when the block ends well, and not at all when it does not. `rows` then has every array by name.

    >>> with SketchWriter(None) as writer:
    ...     writer.add({"mean": np.array([1.0, 2.0])})
    ...     writer.add({"mean": np.array([3.0])})
    >>> writer.rows["mean"]
    array([1., 2., 3.])
    """

    def __init__(self, folder: Path | None) -> None:
        self.rows: dict[str, Rows] = {}
        self._folder, self._stack = folder, ExitStack()
        self._pieces: dict[str, list[NDArray[Any]]] = {}
        self._files: dict[str, _GrowingFile] = {}

    def __enter__(self) -> SketchWriter:
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
                    self._files[name] = self._stack.enter_context(_GrowingFile(temporary, array))
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


class _GrowingFile:
    """A .npy file that is appended to; numpy leaves room in the header for the number of rows to grow."""

    def __init__(self, path: Path, like: NDArray[Any]) -> None:
        self.count, self.like = 0, like[:0]
        self.file = path.open("wb")
        self._write_header()

    def __enter__(self) -> _GrowingFile:
        return self

    def append(self, rows: NDArray[Any]) -> None:
        if rows.dtype != self.like.dtype or rows.shape[1:] != self.like.shape[1:]:
            raise ValueError(f"rows of {rows.dtype} {rows.shape[1:]} after {self.like.dtype} {self.like.shape[1:]}")
        self.file.write(np.ascontiguousarray(rows).data)
        self.count += len(rows)

    def __exit__(self, *error: object) -> None:
        with self.file:
            self.file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        shape = (self.count, *self.like.shape[1:])
        about = {"descr": np.lib.format.dtype_to_descr(self.like.dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.file, about)


def open_sketches(folder: Path, count: int) -> dict[str, Rows]:
    """The arrays that stand in a folder, by name. DataError where one has not `count` rows: it belongs to another table."""
    found: dict[str, Rows] = {p.stem: OnDisk(p) for p in sorted(folder.glob("*.npy")) if not p.name.startswith(".")}
    for name, rows in found.items():
        if len(rows) != count:
            raise DataError(
                f"{folder / name}.npy has {len(rows)} rows for {count} cases; 'evenray scan' makes both anew."
            )
    return found


def blocks(count: int) -> Iterator[NDArray[np.int64]]:
    """The numbers 0 to `count` in blocks of 2,048.

    >>> [len(block) for block in blocks(5_000)]
    [2048, 2048, 904]
    """
    for start in range(0, count, BLOCK):
        yield np.arange(start, min(start + BLOCK, count))
