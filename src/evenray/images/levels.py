"""Grey levels at any depth: how many there are, how often each occurs, and their places in a look-up table."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image

__all__ = [
    "DEEPEST", "count", "count_levels", "from_indices", "lightness", "nearest_levels", "stored_values", "to_indices",
    "unsigned", "whole_levels",
]  # fmt: skip

DEEPEST = 65_536  # levels of a float image, and the most that any image gets
_EXACT = 1 << 24  # cv2.calcHist returns float32, which counts exactly up to here


def lightness(image: Image) -> NDArray[Any]:
    """The grey of every pixel in the image's own dtype, (H, W): the pixels, or luma (BT.601) of colour.

    >>> lightness(Image(np.full((1, 1, 3), (255, 0, 0), np.uint8), value_range=(0, 255))).tolist()
    [[76]]
    """
    pixels = np.ascontiguousarray(image.pixels)
    if image.channels == 1:
        return pixels
    if pixels.dtype == np.int16:
        return np.rint(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_RGB2GRAY)).astype(np.int16)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def whole_levels(value_range: tuple[float, float]) -> int | None:
    """How many levels a range of whole numbers has; None for other ranges, and for more than 65,536.

    >>> whole_levels((-1024, 3071)), whole_levels((0, 0.5))
    (4096, None)
    """
    low, high = value_range
    whole = float(low).is_integer() and float(high).is_integer() and high - low < DEEPEST
    return int(high - low) + 1 if whole else None


def unsigned(pixels: NDArray[Any]) -> Any:
    """Stored values as OpenCV's tables take them: the bits of int16 as uint16."""
    return pixels.view(np.uint16) if pixels.dtype == np.int16 else pixels


def stored_values(dtype: np.dtype[Any]) -> NDArray[np.int64]:
    """What each index of a look-up table over stored pixels stands for: int16 wraps, as its bits do."""
    if dtype == np.uint8:
        return np.arange(256)
    return np.arange(DEEPEST).astype(np.uint16).view(dtype).astype(np.int64)


@lru_cache(maxsize=16)
def nearest_levels(dtype: np.dtype[Any], value_range: tuple[float, float], number: int) -> NDArray[np.int64]:
    """For each index of a look-up table over stored pixels the nearest of `number` even levels of the range."""
    low, high = value_range
    unit = np.clip((stored_values(dtype) - low) / (high - low), 0, 1)
    found: NDArray[np.int64] = np.rint(unit * (number - 1)).astype(np.int64)
    found.setflags(write=False)  # shared by all images of the range
    return found


def count(pixels: NDArray[Any], valid: NDArray[np.bool_] | None, bins: int) -> NDArray[np.int64]:
    """How often each of 0 to bins - 1 occurs in uint8 or uint16 (H, W); larger values are left out.

    >>> count(np.array([[0, 2, 2, 9]], np.uint16), None, 3).tolist()
    [1, 0, 2]
    """
    mask = None if valid is None else np.ascontiguousarray(valid).view(np.uint8)
    rows = max(1, _EXACT // max(1, pixels.shape[1]))
    counts = np.zeros(bins, np.int64)
    for y in range(0, pixels.shape[0], rows):
        part = None if mask is None else mask[y : y + rows]
        counts += cv2.calcHist([pixels[y : y + rows]], [0], part, [bins], [0, bins]).ravel().astype(np.int64)
    return counts


def count_levels(
    grey: NDArray[Any], valid: NDArray[np.bool_] | None, value_range: tuple[float, float]
) -> NDArray[np.int64]:
    """How often each level of a range occurs in (H, W) of any dtype; values outside the range count at its ends."""
    low, high = value_range
    if grey.dtype == np.float32:
        there = ~np.isnan(grey) if valid is None else valid & ~np.isnan(grey)
        unit = np.clip((grey[there].astype(np.float64) - low) / (high - low), 0, 1)
        return np.bincount(np.rint(unit * (DEEPEST - 1)).astype(np.int64), minlength=DEEPEST).astype(np.int64)
    number = whole_levels(value_range)
    if number and low == 0 and grey.dtype != np.int16:
        counts = count(grey, valid, number)
        if counts.sum() == (grey.size if valid is None else np.count_nonzero(valid)):  # nothing above the range
            return counts
    number = number or DEEPEST
    stored = count(unsigned(grey), valid, 256 if grey.dtype == np.uint8 else DEEPEST)
    nearest = nearest_levels(grey.dtype, value_range, number)
    return np.bincount(nearest, weights=stored, minlength=number).astype(np.int64)


def to_indices(grey: NDArray[Any], value_range: tuple[float, float]) -> tuple[NDArray[Any], int]:
    """(H, W) of any dtype as indices 0 to n - 1 in uint8 or uint16, and n; the pixels themselves where they are that.

    >>> to_indices(np.array([[-1024, 3071]], np.int16), (-1024, 3071))
    (array([[   0, 4095]], dtype=uint16), 4096)
    """
    low, high = value_range
    if grey.dtype == np.float32:
        unit = np.clip((grey - np.float32(low)) / np.float32(high - low), 0, 1)
        return np.rint(np.nan_to_num(unit, nan=0.0) * (DEEPEST - 1)).astype(np.uint16), DEEPEST
    number = whole_levels(value_range) or DEEPEST
    if low == 0 and number == 256 and grey.dtype == np.uint8:
        return grey, 256
    if low == 0 and grey.dtype == np.uint16 and number > 256:
        return (grey if grey.max(initial=0) < number else np.minimum(grey, number - 1)), number
    table: Any = nearest_levels(grey.dtype, value_range, number).astype(np.uint8 if number <= 256 else np.uint16)
    return np.asarray(cv2.LUT(unsigned(grey), table)), number


def from_indices(indices: NDArray[Any], value_range: tuple[float, float], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Indices, or unit values in float32, back as grey levels of `dtype`."""
    low, high = value_range
    if dtype == np.float32:
        return (low + indices * np.float32(high - low)).astype(np.float32)
    number = whole_levels(value_range) or DEEPEST
    if low == 0 and high == number - 1 and indices.dtype == dtype:
        return indices
    kind: np.iinfo[Any] = np.iinfo(dtype)
    values = np.rint(low + np.linspace(0, 1, number) * (high - low))
    table = np.full(256 if indices.dtype == np.uint8 else DEEPEST, values[-1])
    table[:number] = values
    stored: NDArray[Any] = unsigned(table.clip(kind.min, kind.max).astype(dtype))
    return np.asarray(cv2.LUT(indices, stored)).view(dtype)
