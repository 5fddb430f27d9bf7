"""BMP of all headers (OS/2 1 and 2, Windows versions 2 to 5): runs by OpenCV, plain samples by Pillow, masks by numpy.

OpenCV loses the colour of some headers (OS/2, the masks of version 2), and Pillow knows a few sets of masks only.
"""

from __future__ import annotations

import contextlib
import struct
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError

from ._colour import collapse
from ._limits import check

__all__ = ["decode"]

_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # bytes of the kinds that there are
_OS2 = (12, 64)
_RUNS, _MASKS = (1, 2), (3, 6)  # compressions: runs of 8 and of 4 bits; masks of red, green, blue (and alpha)


def decode(path: str, data: bytes) -> tuple[NDArray[Any], bool]:
    """(H, W) or (H, W, 3) RGB of 8 bits, and whether the file itself is grey. Alpha is not read."""
    if len(data) < 34:
        raise ReadError(path, "ends inside its header; it is truncated")
    (header,) = struct.unpack_from("<I", data, 14)
    if header not in _HEADERS:
        raise ReadError(path, f"has a BMP header of {header:,} bytes, which none has; the file is damaged")
    columns, rows = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    if not columns or not rows:
        raise ReadError(path, f"its header declares {columns} x {rows} pixels")
    check(path, "pixels", abs(columns * rows), "pixels")
    bits, packing = (*struct.unpack_from("<H", data, 24), 0) if header == 12 else struct.unpack_from("<HI", data, 28)
    pixels: NDArray[Any] | None = None
    with contextlib.suppress(
        ValueError, KeyError, struct.error, OSError, SyntaxError, IndexError, cv2.error
    ):  # told below
        if packing in _MASKS and header not in _OS2:
            pixels = _masked(data, columns, rows, bits)
        elif packing in _RUNS:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        else:
            pixels = _plain(data)
    if pixels is None:
        kind = f"a BMP of {bits} bits and compression {packing}"
        raise ReadError(path, f"cannot be decoded; it is truncated or damaged, or {kind}, which is not read")
    pixels = collapse(pixels) if pixels.ndim == 3 else pixels
    return pixels, pixels.ndim == 2 and bits <= 8


def _plain(data: bytes) -> NDArray[Any]:
    from PIL import Image as Pillow  # late: few files need it

    with Pillow.open(BytesIO(data), formats=["BMP"]) as picture:
        return np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))


def _masked(data: bytes, columns: int, rows: int, bits: int) -> NDArray[np.uint8]:
    """Samples picked out of words of 16 or 32 bits by the masks behind the first 40 bytes of the header."""
    (start,), masks = struct.unpack_from("<I", data, 10), struct.unpack_from("<3I", data, 54)
    wide, height = bits // 8, abs(rows)
    stride = -(-columns * wide // 4) * 4
    words = np.frombuffer(data, np.uint8, stride * height, start).reshape(height, stride)[:, : columns * wide]
    words = np.ascontiguousarray(words).view({16: "<u2", 32: "<u4"}[bits])
    pixels = np.empty((height, columns, 3), np.uint8)
    for channel, mask in enumerate(masks):
        shift = (mask & -mask).bit_length() - 1 if mask else 0
        top = mask >> shift
        values = (words & mask) >> shift
        pixels[..., channel] = (values.astype(np.uint64) * 255 + top // 2) // max(top, 1)
    return pixels[::-1] if rows > 0 else pixels
