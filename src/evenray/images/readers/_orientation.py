"""How stored pixels lie, and how they are to be shown (TIFF 6.0, tag 274; Exif has the same)."""

from __future__ import annotations

import struct
from typing import Any

from numpy.typing import NDArray

from .directories import Directories

__all__ = ["ORIENTATION", "orientation", "turned"]

ORIENTATION = 274


def orientation(block: bytes) -> int:
    """What an Exif block says of how the stored pixels lie; 1 (upright) where it does not.

    >>> orientation(b"no Exif block")
    1
    """
    try:
        found = Directories(block)
        said = found.number(found.entries(found.first)[0].get(ORIENTATION), 1)
    except (ValueError, struct.error, IndexError, OverflowError):
        return 1
    return said if 1 <= said <= 8 else 1


def turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """As it is to be shown: orientations 5 to 8 exchange rows and columns, and some begin at other corners."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels[::-1] if orientation in (3, 4, 7, 8) else pixels
