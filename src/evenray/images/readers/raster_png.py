"""The structure of a PNG, checked before it is decoded: decoders show what is left of a damaged one."""

from __future__ import annotations

import struct
import zlib

from evenray.core.errors import ReadError

from ._limits import check

__all__ = ["check_png"]


def check_png(path: str, data: bytes) -> bool:
    """Check every chunk's length and checksum (ISO/IEC 15948, 5.3) and the end; returns whether it has transparency."""
    at, seen = 8, 0
    alpha = False
    while True:
        check(path, "header_elements", seen, "chunks")
        head = data[at : at + 8]
        if len(head) < 8:
            raise ReadError(path, "its PNG data has no end; the file is truncated")
        length, kind = struct.unpack(">I4s", head)
        end = at + 12 + length
        if end > len(data):
            raise ReadError(path, "its PNG data has no end; the file is truncated")
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise ReadError(path, "a checksum inside its PNG data does not match; the file is damaged")
        if seen == 0:
            if kind != b"IHDR" or length != 13:
                raise ReadError(path, "its PNG data does not start with its header; the file is damaged")
            columns, rows, _, colour = struct.unpack(">IIBB", data[at + 8 : at + 18])
            check(path, "pixels", columns * rows, "pixels")
            alpha = colour in (4, 6)
        alpha = alpha or kind == b"tRNS"
        if kind == b"IEND":
            return alpha
        at, seen = end, seen + 1
