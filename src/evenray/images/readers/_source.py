"""The bytes of one file: opened once, hashed once, shared by sniffing, reading and identifying."""

from __future__ import annotations

import hashlib
import os
import stat
from functools import cached_property
from typing import Any

from evenray.core.errors import ReadError

from ._limits import check

__all__ = ["HEAD_BYTES", "Source", "Stamp", "open_bytes", "part_of"]

Stamp = tuple[str, int, int]  # path, time of the last change, size: the same stamp, the same bytes

HEAD_BYTES = 4096
KEPT_BYTES = 256 * 1024**2  # a larger file is not kept after its last use


def open_bytes(path: str, size: int = -1) -> bytes:
    """The first `size` bytes of a file, or all; the one place where files are opened."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - pathlib costs as much as the reading
        return file.read(size) if size >= 0 else file.readall()


class Source:
    """One file, whose bytes are read on first use.

    >>> source = Source("a.bmp", ("a.bmp", 0, 2), b"BM")
    >>> source.sha256[:8]
    '60552aca'
    """

    def __init__(self, path: str, stamp: Stamp, head: bytes) -> None:
        self.path, self.stamp, self.head = path, stamp, head
        self.memo: dict[str, Any] = {}  # what a reader has parsed of it, for its next call

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Source:
        """The source of a path; the last file asked for is remembered, so that read and identity share its bytes."""
        global _last
        path = os.fspath(path)
        source = _last
        try:
            status = os.stat(path)  # noqa: PTH116
            stamp = (path, status.st_mtime_ns, status.st_size)
            if source is not None and source.stamp == stamp:
                return source
            if not stat.S_ISREG(status.st_mode):
                raise ReadError(path, "is a folder, not a file" if stat.S_ISDIR(status.st_mode) else "is not a file")
            check(path, "file_bytes", status.st_size, "bytes")
            source = cls(path, stamp, open_bytes(path, HEAD_BYTES))
        except FileNotFoundError:
            raise ReadError(path, "does not exist") from None
        except OSError as error:
            raise ReadError(path, f"cannot be opened: {error.strerror or type(error).__name__}") from None
        if not source.head:
            raise ReadError(path, "is empty (0 bytes)")
        _last = source if status.st_size <= KEPT_BYTES else None
        return source

    @cached_property
    def data(self) -> bytes:
        """All bytes."""
        if self.stamp[2] <= len(self.head):
            return self.head
        try:
            return open_bytes(self.path)
        except OSError as error:
            raise ReadError(self.path, f"cannot be read: {error.strerror or type(error).__name__}") from None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of all bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()


_last: Source | None = None


def part_of(path: str, fragment: str, key: str, count: int) -> int:
    """The index that a fragment such as "frame=3" names; "" is the first.

    >>> part_of("a.dcm", "frame=3", "frame", 10)
    3
    >>> part_of("a.dcm", "frame=30", "frame", 10)
    Traceback (most recent call last):
    ...
    evenray.core.errors.ReadError: a.dcm: has no 'frame=30'; it holds frame=0 to frame=9
    """
    if not fragment:
        return 0
    name, _, number = fragment.partition("=")
    if name != key or not number.isdecimal() or len(number) > 9 or int(number) >= count:
        raise ReadError(path, f"has no '{fragment}'; it holds {key}=0 to {key}={count - 1}")
    return int(number)
