"""The structure of a PNG, checked before it is decoded: decoders show what is left of a damaged one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from evenray.core.errors import ReadError

from ._limits import check

__all__ = ["check_png", "chunks", "without_animation"]

SIGNATURE_BYTES = 8
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of every chunk (ISO/IEC 15948, 5.3), whether or not the last ones are all there."""
    at, kind = SIGNATURE_BYTES, b""
    while at + 8 <= len(data) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at, at + 12 + length
        at += 12 + length


def check_png(path: str, data: bytes) -> bool:
    """Check every chunk's length and checksum, and the end; returns whether the picture has transparency."""
    alpha, kind = False, b""
    for seen, (kind, at, end) in enumerate(chunks(data)):
        check(path, "header_elements", seen, "chunks")
        if end > len(data):
            raise ReadError(path, "its PNG data has no end; the file is truncated")
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise ReadError(path, "a checksum inside its PNG data does not match; the file is damaged")
        if seen == 0:
            if kind != b"IHDR" or end - at != 25:
                raise ReadError(path, "its PNG data does not start with its header; the file is damaged")
            columns, rows, _, colour = struct.unpack(">IIBB", data[at + 8 : at + 18])
            check(path, "pixels", columns * rows, "pixels")
            alpha = colour in (4, 6)
        alpha = alpha or kind == b"tRNS"
    if kind != b"IEND":
        raise ReadError(path, "its PNG data has no end; the file is truncated")
    return alpha


def without_animation(data: bytes) -> bytes:
    """A sound PNG without the chunks that animate it: the still picture, which is all that is read.

    OpenCV reads the other frames whether asked or not, and a damaged one ends the process.
    """
    if not any(name in data for name in _ANIMATION):
        return data
    return data[:SIGNATURE_BYTES] + b"".join(data[at:end] for kind, at, end in chunks(data) if kind not in _ANIMATION)
