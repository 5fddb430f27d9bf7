"""Grey levels as table indices: 0 to n - 1 in uint8 or uint16, whatever the dtype and the range of the image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.counting import DEEPEST

__all__ = ["decode", "encode", "stored_values"]


def encode(grey: NDArray[Any], value_range: tuple[float, float]) -> tuple[NDArray[Any], int]:
    """(H, W) of any dtype as indices and how many there are; the pixels themselves where they are that already.

    >>> encode(np.array([[-1024, 3071]], np.int16), (-1024, 3071))
    (array([[   0, 4095]], dtype=uint16), 4096)
    """
    low, high = value_range
    if grey.dtype == np.float32:
        unit = np.clip((grey - np.float32(low)) / np.float32(high - low), 0, 1)
        return np.rint(np.nan_to_num(unit, nan=0.0) * (DEEPEST - 1)).astype(np.uint16), DEEPEST
    number = _number(value_range)
    if low == 0 and number == 256 and grey.dtype == np.uint8:
        return grey, 256
    if low == 0 and grey.dtype == np.uint16 and number > 256:
        return (grey if grey.max(initial=0) < number else np.minimum(grey, number - 1)), number
    unit = np.clip((stored_values(grey.dtype) - low) / (high - low), 0, 1)
    table = np.rint(unit * (number - 1)).astype(np.uint8 if number <= 256 else np.uint16)
    return np.asarray(cv2.LUT(grey.view(np.uint16) if grey.dtype == np.int16 else grey, table)), number


def decode(codes: NDArray[Any], value_range: tuple[float, float], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Indices, or unit values in float32, back as grey levels of `dtype`."""
    low, high = value_range
    if dtype == np.float32:
        return (low + codes * np.float32(high - low)).astype(np.float32)
    number = _number(value_range)
    if low == 0 and high == number - 1 and codes.dtype == dtype:
        return codes
    values = np.rint(low + np.linspace(0, 1, number) * (high - low))
    kind = np.iinfo(dtype)
    table = np.full(256 if codes.dtype == np.uint8 else DEEPEST, values[-1])
    table[:number] = values
    stored = table.clip(kind.min, kind.max).astype(dtype)
    found: NDArray[Any] = cv2.LUT(codes, stored.view(np.uint16) if dtype == np.int16 else stored)
    return found.view(dtype)


def stored_values(dtype: np.dtype[Any]) -> NDArray[np.int64]:
    """What each index of a look-up table over stored pixels stands for: int16 wraps, as its bits do."""
    if dtype == np.uint8:
        return np.arange(256)
    bits = np.arange(DEEPEST).astype(np.uint16)
    return bits.view(np.int16).astype(np.int64) if dtype == np.int16 else bits.astype(np.int64)


def _number(value_range: tuple[float, float]) -> int:
    low, high = value_range
    whole = float(low).is_integer() and float(high).is_integer() and high - low < DEEPEST
    return int(high - low) + 1 if whole else DEEPEST
