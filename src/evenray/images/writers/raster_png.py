"""What a PNG says beside its pixels, from the chunks of the original to those of its copy; and grey with alpha."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _icc
from ._exif import SIDEWAYS, Turn, exif, orientation, xmp

__all__ = ["copied", "grey_with_alpha", "is_grey"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Once in a file, and of this size where that is fixed.
_SINGLE = {b"cHRM": 32, b"gAMA": 4, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"mDCv": 24, b"cLLi": 8,
           b"iCCP": 0, b"pHYs": 9, b"eXIf": 0, b"sCAL": 0, b"oFFs": 9, b"sTER": 1}  # fmt: skip
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_PLACED = (b"sCAL", b"oFFs", b"sTER")  # of columns and rows, and so stale once the picture is turned
_XMP = b"XML:com.adobe.xmp\0\0"  # the keyword of a packet that is not compressed


def copied(before: bytes, after: bytes) -> list[bytes | memoryview]:
    """The pieces of the PNG `after` with the ancillary chunks of `before` that hold for other pixels too, behind its header.

    Colour (iCCP, sRGB, gAMA, cHRM, cICP), pHYs, sCAL, eXIf, texts, and private chunks that call themselves safe to copy
    stay. Left out are chunks of samples and palettes (tRNS, bKGD, sBIT, hIST, sPLT, pCAL), of animations, tIME, what is
    damaged, and second ones where one is allowed.
    """
    chunks = list(_chunks(before))
    block = next((data for kind, data in chunks if kind == b"eXIf"), b"")
    turn = 1 if _has_alpha(chunks) else orientation(block)  # OpenCV leaves pictures with alpha as they lie
    head = len(_SIGNATURE) + 25
    return [after[:head], *(_packed(*chunk) for chunk in _kept(chunks, turn)), memoryview(after)[head:]]


def is_grey(data: bytes) -> bool:
    """Whether the samples of a PNG are grey, with or without alpha."""
    return data[25:26] in (b"\0", b"\4")


def _has_alpha(chunks: list[tuple[bytes, bytes]]) -> bool:
    return any(kind == b"tRNS" or (kind == b"IHDR" and data[9:10] in (b"\4", b"\6")) for kind, data in chunks)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents, but for those of pixels and those whose checksum does not match."""
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if kind == b"IEND" or end > len(data):
            return
        if kind != b"IDAT":
            content = data[at + 8 : end - 4]
            if zlib.crc32(content, zlib.crc32(kind)) == int.from_bytes(data[end - 4 : end], "big"):
                yield kind, content
        at = end


def _packed(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _kept(chunks: list[tuple[bytes, bytes]], turn: Turn) -> Iterator[tuple[bytes, bytes]]:
    seen = set()
    for kind, data in chunks:
        private = kind[1] & 32 and kind[3] & 32  # lower case: not of the standard, and holding whatever changes
        kept = data if kind in _SINGLE or kind in _TEXT or private else None
        if kind in seen or (turn != 1 and kind in _PLACED) or len(data) != (_SINGLE.get(kind) or len(data)):
            kept = None
        if kept is not None and kind in _SINGLE:
            seen.add(kind)
            kept = _still(kind, data, turn)
        if kept is not None and kind in _TEXT:
            kept = _text(data, turn)
        if kept is not None:
            yield kind, kept


def _still(kind: bytes, data: bytes, turn: Turn) -> bytes | None:
    """A chunk as it is now; None where it is damaged or absurd."""
    if kind == b"eXIf":
        return exif(data, turn)
    if kind == b"iCCP":
        return data if _profile_holds(data) else None
    if kind == b"pHYs":
        x, y, unit = struct.unpack(">IIB", data)
        x, y = (y, x) if turn in SIDEWAYS else (x, y)
        return struct.pack(">IIB", x, y, unit) if x and y and unit <= 1 else None
    if kind == b"gAMA":
        return data if any(data) else None
    return data


def _profile_holds(data: bytes) -> bool:
    name, _, rest = data.partition(b"\0")
    try:
        return (
            bool(name)
            and rest[:1] == b"\0"
            and _icc.holds(zlib.decompressobj().decompress(rest[1:], _icc.HEADER_BYTES))
        )
    except zlib.error:
        return False


def _text(data: bytes, turn: Turn) -> bytes | None:
    keyword, found, _ = data.partition(b"\0")
    if not found or not 1 <= len(keyword) <= 79:
        return None
    return xmp(data, turn) if data.startswith(_XMP) else data


def grey_with_alpha(grey: NDArray[Any], alpha: NDArray[Any]) -> bytes:
    """A PNG of colour type 4, of 8 or 16 bits, which OpenCV reads but does not write.

    >>> import cv2
    >>> data = grey_with_alpha(np.array([[7, 9]], np.uint8), np.array([[255, 0]], np.uint8))
    >>> cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).tolist()
    [[[7, 7, 7, 255], [9, 9, 9, 0]]]
    """
    samples = np.dstack([grey, alpha])
    rows, columns, _ = samples.shape
    bits = 8 * samples.itemsize
    raw = samples.astype(samples.dtype.newbyteorder(">")).view(np.uint8).reshape(rows, -1)
    lines = np.empty((rows, raw.shape[1] + 1), np.uint8)
    lines[:, 0] = 2  # filter Up: differences from the pixel above
    lines[:, 1:] = raw
    lines[1:, 1:] -= raw[:-1]
    packer = zlib.compressobj(4, strategy=zlib.Z_FILTERED)  # the default takes five times as long for a sixteenth less
    header = struct.pack(">IIBBBBB", columns, rows, bits, 4, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packer.compress(lines.data) + packer.flush()), (b"IEND", b""))
    return _SIGNATURE + b"".join(_packed(*chunk) for chunk in chunks)
