"""Applies one curve to an image: one pass over the pixels, at any depth."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Curve, Image
from evenray.images.levels import DEEPEST, lightness, nearest_levels, stored_values, unsigned, whole_levels

from ._colour import set_lightness

__all__ = ["apply", "keep_missing", "look_up", "present", "with_grey"]

_WORTH_PAIRING = 1 << 18  # pixels from which a table of 65,536 pairs pays for 8-bit images


def apply(image: Image, curve: Curve) -> Image:
    """Every pixel through the curve; levels, dtype and missing pixels stay, colour changes in lightness alone.

    >>> image = Image(np.array([[0, 51, 255]], np.uint8), value_range=(0, 255))
    >>> apply(image, Curve(np.linspace(1, 0, 256))).pixels.tolist()
    [[255, 204, 0]]
    """
    grey = lightness(image)
    return with_grey(image, grey, look_up(grey, curve, image.value_range))


def present(image: Image) -> NDArray[np.bool_] | None:
    """Where there is data, bool (H, W): the valid pixels that are not NaN; None where that is all of them."""
    if image.pixels.dtype != np.float32:
        return image.valid
    nan = np.isnan(image.pixels if image.channels == 1 else image.pixels.sum(axis=2))
    if not nan.any():
        return image.valid
    return np.asarray(~nan if image.valid is None else image.valid & ~nan)


def keep_missing(image: Image, pixels: NDArray[Any]) -> Image:
    """The image with new pixels, but the old ones where data is missing."""
    there = present(image)
    if there is not None and not there.all():
        cv2.copyTo(np.ascontiguousarray(image.pixels), (~there).view(np.uint8), pixels)
    return image.with_pixels(pixels)


def with_grey(image: Image, old: NDArray[Any], new: NDArray[Any]) -> Image:
    """The image whose lightness `old` (H, W) has become `new`, but as it was where data is missing."""
    if image.channels == 3:
        new = set_lightness(image.pixels, old, new, image.value_range)
    return keep_missing(image, new)


def look_up(grey: NDArray[Any], curve: Curve, value_range: tuple[float, float]) -> NDArray[Any]:
    """(H, W) of any dtype through a curve over `value_range`; values outside saturate."""
    if grey.dtype == np.float32:
        return _look_up_floats(grey, curve, value_range)
    table = _table(curve, value_range, grey.dtype)
    if grey.dtype == np.uint8 and grey.size >= _WORTH_PAIRING:
        return _look_up_pairs(grey, table)
    return np.asarray(cv2.LUT(unsigned(grey), unsigned(table))).view(grey.dtype)


def _look_up_pairs(grey: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """8-bit pixels two at a time, each pair as one 16-bit value: half the time of single look-ups."""
    wide = table.astype(np.uint16)
    of_pairs = (wide[:, None] << 8 | wide).ravel()
    flat, outcome = grey.reshape(-1), np.empty(grey.size, np.uint8)
    whole = grey.size // 2048 * 2048  # in rows, which OpenCV shares among its threads
    pairs, found = (each[:whole].view(np.uint16).reshape(-1, 1024) for each in (flat, outcome))
    cv2.LUT(pairs, of_pairs, found)
    outcome[whole:] = table[flat[whole:]]
    return outcome.reshape(grey.shape)


def _table(curve: Curve, value_range: tuple[float, float], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The outcome of every stored value."""
    bins = len(curve.values)
    if whole_levels(value_range) == bins:
        return _rounded(curve.values, value_range, dtype)[nearest_levels(dtype, value_range, bins)]
    low, high = value_range
    unit = np.clip((stored_values(dtype) - low) / (high - low), 0, 1)
    return _rounded(np.interp(unit * (bins - 1), np.arange(bins), np.clip(curve.values, 0, 1)), value_range, dtype)


def _rounded(values: NDArray[np.float64], value_range: tuple[float, float], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values of the unit range as the nearest stored ones, within the levels and what the dtype holds."""
    low, high = value_range
    kind = np.iinfo(dtype)
    nearest = low + values.clip(0.0, 1.0) * (high - low)
    nearest.round(9, out=nearest)  # lets the ties of float32 formulas (OpenCV's) fall as they do there
    return np.rint(nearest, out=nearest).clip(kind.min, kind.max).astype(dtype)


def _look_up_floats(grey: NDArray[Any], curve: Curve, value_range: tuple[float, float]) -> NDArray[Any]:
    low, high = value_range
    place = np.clip((grey - np.float32(low)) / np.float32(high - low), 0, 1) * np.float32(DEEPEST - 1)
    place = np.nan_to_num(place, copy=False, nan=0.0)
    values = np.interp(np.linspace(0, 1, DEEPEST), np.linspace(0, 1, len(curve.values)), np.clip(curve.values, 0, 1))
    values = (low + values * (high - low)).astype(np.float32)
    nearest = np.rint(place).astype(np.uint16)  # where it was counted
    found = cv2.LUT(nearest, values[None])
    return np.asarray(found + cv2.LUT(nearest, _slopes(values)[None]) * (place - nearest), np.float32)


def _slopes(values: NDArray[Any]) -> NDArray[Any]:
    """How steep a curve is at each bin: the flatter of both sides, 0 between a rise and a fall.

    A curve made from counts jumps where a value is that occurs; beside it the value must not take part of the jump.
    """
    steps = np.diff(values)
    before, after = np.append(steps[:1], steps), np.append(steps, steps[-1:])
    flatter = np.where(np.abs(before) < np.abs(after), before, after)
    return np.where(before * after > 0, flatter, np.float32(0))
