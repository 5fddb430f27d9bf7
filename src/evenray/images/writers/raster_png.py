"""What a PNG says beside its pixels, from the chunks of the original to those of its copy; and grey with alpha."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.images.readers.raster_png import chunks, png_orientation

from ._blocks import ICC_HEADER, SIDEWAYS, exif, is_sound_profile, xmp

__all__ = ["copied", "grey_with_alpha", "is_grey"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Once in a file, and of this size where that is fixed.
_SINGLE = {b"cHRM": 32, b"gAMA": 4, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"mDCv": 24, b"cLLi": 8,
           b"iCCP": 0, b"pHYs": 9, b"eXIf": 0, b"sCAL": 0, b"oFFs": 9, b"sTER": 1}  # fmt: skip
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_PLACED = (b"sCAL", b"oFFs", b"sTER")  # of columns and rows, and so stale once the picture is turned
_XMP = b"XML:com.adobe.xmp\0\0"  # the keyword of a packet that is not compressed

Chunk = tuple[bytes, bytes]


def copied(before: bytes, after: bytes) -> list[bytes]:
    """The pieces of the PNG `after` with the ancillary chunks of `before` that hold for other pixels too, behind its header.

    Colour (iCCP, sRGB, gAMA, cHRM, cICP), pHYs, sCAL, eXIf, texts, and private chunks that call themselves safe to copy
    stay. Left out are chunks of samples and palettes (tRNS, bKGD, sBIT, hIST, sPLT, pCAL), of animations, tIME, what is
    damaged, and second ones where one is allowed.
    """
    found = [(kind, before[at + 8 : end - 4]) for kind, at, end in chunks(before) if kind not in (b"IDAT", b"IEND")]
    turn = png_orientation(before)
    head = len(_SIGNATURE) + 25
    return [after[:head], *(_packed(*chunk) for chunk in _kept(found, turn)), after[head:]]


def is_grey(data: bytes) -> bool:
    """Whether the samples of a PNG are grey, with or without alpha."""
    return data[25:26] in (b"\0", b"\4")


def _packed(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _kept(found: list[Chunk], turn: int) -> Iterator[Chunk]:
    seen = set()
    for kind, data in found:
        private = kind[1] & 32 and kind[3] & 32  # lower case: not of the standard, and holding whatever changes
        once = kind in _SINGLE
        stale = (kind in seen) or (turn != 1 and kind in _PLACED) or len(data) != (_SINGLE.get(kind) or len(data))
        if stale or not (once or kind in _TEXT or private):
            continue
        if once:
            seen.add(kind)
        if (kept := _updated(kind, data, turn)) is not None:
            yield kind, kept


def _updated(kind: bytes, data: bytes, turn: int) -> bytes | None:
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
    if kind in _TEXT:
        if not 1 <= data.find(b"\0") <= 79:
            return None
        return xmp(data, turn) if data.startswith(_XMP) else data
    return data


def _profile_holds(data: bytes) -> bool:
    name, _, rest = data.partition(b"\0")
    try:
        start = zlib.decompressobj().decompress(rest[1:], ICC_HEADER)
    except zlib.error:
        return False
    return bool(name) and rest[:1] == b"\0" and is_sound_profile(start)


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
