"""Directories of tags as TIFF and Exif have them (TIFF 6.0, section 2): found in bytes, and packed to new ones."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["BYTES", "UNDEFINED", "Directories", "Entry", "Tags", "Value", "packed"]

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 2, 3, 4, 5, 7, 16
BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE = {1: 1, SHORT: 2, LONG: 4, 13: 4, LONG8: 8, 18: 8}  # bytes of the types of whole numbers
_WORDS = {5: 4, 10: 4}  # a rational is two numbers

Value = tuple[int, bytes]  # the type of a tag's numbers and their bytes, the lowest first
Tags = dict[int, "Value | dict[int, Value]"]


@dataclass(frozen=True)
class Entry:
    """One tag: where its entry and its value stand in the file."""

    kind: int
    count: int
    place: int
    at: int

    @property
    def size(self) -> int:
        return self.count * BYTES[self.kind]


class Directories:
    """The directories of one TIFF file or Exif block. ValueError where there is none.

    >>> block = b"MM\\0*\\0\\0\\0\\x08" + b"\\0\\1" + b"\\1\\x12\\0\\3\\0\\0\\0\\1\\0\\6\\0\\0" + bytes(4)
    >>> found = Directories(block)
    >>> entries, _ = found.entries(found.first)
    >>> found.number(entries[274])
    6
    """

    def __init__(self, data: bytes | bytearray) -> None:
        if data[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            raise ValueError("not a TIFF")
        self.data, self.order, self.big = data, "<" if data[:1] == b"I" else ">", b"+" in data[2:4]
        self.first = self._offset(8 if self.big else 4)

    def _offset(self, at: int) -> int:
        return int(struct.unpack_from(self.order + ("Q" if self.big else "I"), self.data, at)[0])

    def entries(self, at: int, whole: bool = False) -> tuple[dict[int, Entry], int]:
        """The tags of the directory at `at` whose values lie in the file, and where the link to the next one stands.

        ValueError where the directory does not lie in the file; with `whole`, also where a value does not.
        """
        wide, step, head = (8, 20, 8) if self.big else (4, 12, 2)
        (count,) = struct.unpack_from(self.order + ("Q" if self.big else "H"), self.data, at)
        link = at + head + count * step
        if at < 8 or not count or link > len(self.data):
            raise ValueError("a directory is empty, or not in the file")
        found: dict[int, Entry] = {}
        for place in range(at + head, link, step):
            tag, kind, number = struct.unpack_from(self.order + ("HHQ" if self.big else "HHI"), self.data, place)
            size = number * BYTES.get(kind, 0)
            where = place + 4 + wide if size <= wide else self._offset(place + 4 + wide)
            if size and where + size <= len(self.data):
                found.setdefault(tag, Entry(kind, number, place, where))
            elif whole:
                raise ValueError("a value lies outside the file, or is none")
        return found, link

    def chain(self) -> Iterator[tuple[int, dict[int, Entry]]]:
        """Where one directory after the other begins, and its tags; ValueError where they are a loop, or end before a link does."""
        at, seen = self.first, set[int]()
        while at:
            if at in seen:
                raise ValueError("the directories are a loop")
            seen.add(at)
            entries, link = self.entries(at)
            yield at, entries
            if link + (8 if self.big else 4) > len(self.data):
                raise ValueError("a directory ends before its link")
            at = self._offset(link)

    def numbers(self, entry: Entry | None) -> list[int]:
        """A tag's whole numbers; none where it has others, or is not there."""
        size = _WHOLE.get(entry.kind) if entry else None
        if entry is None or size is None:
            return []
        return [int(one) for one in np.frombuffer(self.data, f"{self.order}u{size}", entry.count, entry.at)]

    def number(self, entry: Entry | None, default: int = 0) -> int:
        """The first of a tag's whole numbers."""
        return (self.numbers(entry) or [default])[0]

    def value(self, entry: Entry) -> Value:
        """The bytes of a tag's numbers, the lowest first."""
        raw = bytes(self.data[entry.at : entry.at + entry.size])
        word = _WORDS.get(entry.kind, BYTES[entry.kind])
        if self.order == ">" and word > 1:
            raw = np.frombuffer(raw, f">u{word}").astype(f"<u{word}").tobytes()
        return entry.kind, raw


def packed(tags: Tags, put: Callable[[bytes], int]) -> bytes:
    """A little-endian directory but for its link; `put` stores what does not fit in it and says where.

    >>> packed({274: (3, b"\\1\\0")}, lambda data: 0).hex(" ")
    '01 00 12 01 03 00 01 00 00 00 01 00 00 00'
    """
    entries = [struct.pack("<H", len(tags))]
    for tag, value in sorted(tags.items()):
        if isinstance(value, dict):
            value = LONG, struct.pack("<I", put(packed({**value}, put) + bytes(4)))
        kind, raw = value
        field = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack("<I", put(raw))
        entries.append(struct.pack("<HHI", tag, kind, len(raw) // BYTES[kind]) + field)
    return b"".join(entries)
