"""How often each stored value of an image occurs, the fastest way that its depth, its size and what is loaded allow."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import fast

__all__ = ["DEEPEST", "WORTH_PAIRING", "count", "count_stored", "paired"]

DEEPEST = 65_536  # bins of a float image, and the most that any image gets
WORTH_PAIRING = 1 << 18  # pixels from which tables of 65,536 entries pay for 8-bit images
_FEW = 1 << 14  # bins up to which our own loops count faster than OpenCV: their tables stay in the first cache
_EXACT = 1 << 24  # cv2.calcHist returns float32, which counts exactly up to here


def count(pixels: NDArray[Any], valid: NDArray[np.bool_] | None, bins: int) -> NDArray[np.int64]:
    """Counts of the stored values 0 to bins - 1, in strips that float32 counts exactly; larger values are left out."""
    if valid is None and pixels.size >= WORTH_PAIRING:
        loops = fast.worth_it(pixels.size)
        # Without our loops OpenCV's own threads are faster than pairs are.
        if pixels.dtype == np.uint8 and bins <= 256 and (loops or cv2.getNumThreads() == 1):
            return _count_pairs(pixels, loops)[:bins]
        if pixels.dtype == np.uint16 and loops and bins <= _FEW:
            return fast.count(pixels.reshape(-1), bins)
    mask = None if valid is None else np.ascontiguousarray(valid).view(np.uint8)
    rows = max(1, _EXACT // max(1, pixels.shape[1]))
    counts = np.zeros(bins, np.int64)
    for y in range(0, pixels.shape[0], rows):
        part = None if mask is None else mask[y : y + rows]
        counts += cv2.calcHist([pixels[y : y + rows]], [0], part, [bins], [0, bins]).ravel().astype(np.int64)
    return counts


def _count_pairs(pixels: NDArray[np.uint8], loops: bool) -> NDArray[np.int64]:
    """Counts of 256 levels through pairs of neighbours, read as one 16-bit value: half the steps, and no two in a row
    that add to the same bin, which is what slows counting down on smooth images."""
    pairs, rest = paired(pixels)
    rest_counts = np.bincount(rest, minlength=256)
    if loops:
        return np.asarray(fast.count_pairs(pairs.reshape(-1)) + rest_counts)
    both = count(pairs, None, DEEPEST).reshape(256, 256)
    return np.asarray(both.sum(axis=0) + both.sum(axis=1) + rest_counts)


def paired(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """8-bit pixels two by two as uint16 (n, 1024), without copying, and the few at the end that do not fill a row."""
    flat = pixels.reshape(-1)
    whole = flat.size // 2048 * 2048
    return flat[:whole].view(np.uint16).reshape(-1, 1024), flat[whole:]


def count_stored(pixels: NDArray[Any], valid: NDArray[np.bool_] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts of every value that the dtype can store, and those values, ascending."""
    if pixels.dtype == np.uint8:
        return count(pixels, valid, 256), np.arange(256)
    counts = count(pixels.view(np.uint16), valid, 65_536)
    if pixels.dtype == np.uint16:
        return counts, np.arange(65_536)
    return np.roll(counts, 32_768), np.arange(-32_768, 32_768)
