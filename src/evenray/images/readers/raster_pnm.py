"""PGM and PPM pictures, binary and plain; they declare their white, so 12 bits in 16 are known as such."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError

from ._limits import check

__all__ = ["decode"]

_DIGITS = 9
_NUMBER = rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})"
_HEADER = re.compile(rb"P([2356])" + _NUMBER * 3 + rb"\s")


def decode(path: str, data: bytes) -> tuple[NDArray[Any], float]:
    """(H, W) or (H, W, 3), uint8 or uint16, and the value of white.

    >>> decode("a.pgm", b"P2 2 1 4095 7 4095")
    (array([[   7, 4095]], dtype=uint16), 4095.0)
    """
    found = _HEADER.match(data, 0, 65536)
    if not found:
        raise ReadError(path, "its header is not that of a PGM or PPM picture")
    kind, columns, rows, high = (int(number) for number in found.groups())
    if not (columns and rows and 0 < high < 65536):
        raise ReadError(path, f"its header declares {columns} x {rows} pixels up to {high}")
    check(path, "pixels", columns * rows, "pixels")
    channels = 3 if kind in (3, 6) else 1
    count = columns * rows * channels
    if kind in (5, 6):
        dtype = np.dtype(np.uint8 if high < 256 else ">u2")
        values = np.frombuffer(data, dtype, min(count, (len(data) - found.end()) // dtype.itemsize), found.end())
    else:
        check(path, "text_values", count, "values in digits")
        tokens = data[found.end() :].split(None, count)[:count]
        if not b"".join([b"0", *tokens]).isdigit() or max(map(len, tokens), default=0) > _DIGITS:
            raise ReadError(
                path, f"one of its values is no whole number of up to {_DIGITS} digits; the file is damaged"
            )
        values = np.array(tokens, f"S{_DIGITS}").astype(np.uint32)
    if len(values) < count:
        raise ReadError(path, f"ends after {len(values):,} of {count:,} values; the file is truncated")
    shape = (rows, columns, 3)[: 2 if channels == 1 else 3]
    return np.minimum(values, high).astype(np.uint8 if high < 256 else np.uint16).reshape(shape), float(high)
