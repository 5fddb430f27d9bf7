"""The structure of a PNG, checked before it is decoded: decoders show what is left of a damaged one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from evenray.core.errors import ReadError

from ._limits import check
from ._orientation import orientation

__all__ = ["check_png", "chunks", "picture_only", "png_orientation"]

SIGNATURE_BYTES = 8
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # of each type of colour
_LONGEST = 1_000_000  # rows or columns that libpng takes


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of every chunk (ISO/IEC 15948, 5.3), whether or not the last ones are all there."""
    at, kind = SIGNATURE_BYTES, b""
    while at + 8 <= len(data) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at, at + 12 + length
        at += 12 + length


def check_png(path: str, data: bytes) -> bool:
    """Check every chunk's length and checksum, and the end; returns whether the picture has transparency."""
    alpha, kind, packed, most = False, b"", 0, 0
    for seen, (kind, at, end) in enumerate(chunks(data)):
        check(path, "header_elements", seen, "chunks")
        if end > len(data):
            raise ReadError(path, "its PNG data has no end; the file is truncated")
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise ReadError(path, "a checksum inside its PNG data does not match; the file is damaged")
        if seen == 0:
            if kind != b"IHDR" or end - at != 25:
                raise ReadError(path, "its PNG data does not start with its header; the file is damaged")
            alpha, most = _check_header(path, data[at + 8 : at + 21])
        alpha = alpha or kind == b"tRNS"
        packed += (end - at - 12) * (kind == b"IDAT")
    if kind != b"IEND":
        raise ReadError(path, "its PNG data has no end; the file is truncated")
    if packed > most:
        raise ReadError(path, f"its packed pixels take {packed:,} bytes, more than unpacked ones; the file is damaged")
    return alpha


def _check_header(path: str, header: bytes) -> tuple[bool, int]:
    """Whether a picture has a channel of transparency, and the most bytes that its packed pixels can take."""
    columns, rows, depth, colour, packing, filtering, order = struct.unpack(">IIBBBBB", header)
    check(path, "pixels", columns * rows, "pixels")
    if depth not in _DEPTHS.get(colour, ()) or packing or filtering or order > 1 or not columns * rows > 0:
        raise ReadError(
            path,
            f"its PNG header declares {columns} x {rows} pixels of type {colour} and {depth} bits; the file is damaged",
        )
    if max(rows, columns) > _LONGEST:
        raise ReadError(path, f"has {rows:,} rows x {columns:,} columns; of a PNG {_LONGEST:,} of each are read")
    samples = {2: 3, 4: 2, 6: 4}.get(colour, 1)
    unpacked = rows * (2 + (columns * samples * depth + 7) // 8) * 2  # passes of interlaced rows have a byte more each
    return colour in (4, 6), unpacked + 2**16


def picture_only(data: bytes) -> bytes:
    """A sound PNG with nothing in it but the still picture: of the chunks that may be left out, only transparency stays.

    OpenCV reads the other frames of an animation whether asked or not, and a damaged one ends the process; libpng unpacks texts
    and profiles, which may be huge.
    """
    kept = [(at, end) for kind, at, end in chunks(data) if not kind[0] & 32 or kind == b"tRNS"]
    return data[:SIGNATURE_BYTES] + b"".join(data[at:end] for at, end in kept)


def png_orientation(data: bytes) -> int:
    """What the Exif block of a sound PNG says of how its pixels lie; 1 (upright) where there is none."""
    block = next((data[at + 8 : end - 4] for kind, at, end in chunks(data) if kind == b"eXIf"), b"")
    return orientation(block)
