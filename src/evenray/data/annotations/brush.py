"""What was drawn with Label Studio's brush: the bytes of a picture in runs, packed bit by bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .shapes import BadFile

__all__ = ["brushed"]

CHANNELS, OPAQUE = 4, 3  # red, green, blue, and how opaque a pixel is


def brushed(packed: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels that are not transparent, bool of `size`. BadFile where bytes are missing or are of another size.

    First come the number of values (32 bits), the bits of a value less 1 (5 bits), and the bits of each of four lengths less 1 (4 bits
    each); then blocks: whether all values are the same (1 bit), which length follows (2 bits), the number of values less 1, and the
    one value or all of them. So has it https://github.com/thi-ng/umbrella in packages/rle-pack, which Label Studio uses.
    """
    bits, at = np.unpackbits(np.frombuffer(bytes(packed), np.uint8)), 0
    digits = (bits + ord("0")).tobytes()

    def taken(count: int) -> slice:
        nonlocal at
        if at + count > len(bits):
            raise BadFile(f"what was drawn with a brush ends after {len(packed)} bytes, before its last pixel")
        at += count
        return slice(at - count, at)

    def read(count: int) -> int:
        return int(digits[taken(count)], 2)

    values, width = read(32), read(5) + 1
    lengths = [read(4) + 1 for _ in range(4)]
    if values != size[0] * size[1] * CHANNELS:
        raise BadFile(
            f"what was drawn with a brush has {values} values; expected {CHANNELS} for each pixel of {size[0]} x {size[1]}"
        )
    drawn = np.zeros(values, bool)
    start = 0
    while start < values:
        same = read(1)
        end = min(start + 1 + read(lengths[read(2)]), values)
        own = bits[taken(width if same else width * (end - start))]
        drawn[start:end] = own.reshape(-1, width).any(axis=1)
        start = end
    return drawn.reshape(*size, CHANNELS)[..., OPAQUE]
