"""The cheap copies of one image that the measures share, so that each pixel is touched once or twice for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.images.levels import lightness

__all__ = ["Measured", "Reduced"]

Measured = dict[str, float | NDArray[Any]]  # columns of the table of cases, and sketches

SIDE = 512  # the small copy is halved until both sides fit
LINES = 32  # about so many pairs of neighbouring rows, and columns, are looked at in full resolution


@dataclass(frozen=True)
class Reduced:
    """What the measures work on.

    `grey` is the image at full size, uint8 (H, W), the declared range on 0..255; `small` the same, halved until no
    side exceeds 512; `thumbnail` the whole image squeezed to 32 x 32. For what 8 bits would hide there are samples in
    the file's own levels, uint8, uint16 or float32: `upper` and `lower` (pairs, W) are pairs of neighbouring rows,
    `across` (H, lines) are columns. `span` is the width of the range in levels, `share` the valid share of the pixels.

    >>> image = Image(np.full((1200, 900), 255, np.uint8), value_range=(0, 255))
    >>> reduced = Reduced.of(image)
    >>> reduced.grey.shape, reduced.small.shape, reduced.thumbnail.shape, reduced.upper.shape, reduced.across.shape
    ((1200, 900), (300, 225), (32, 32), (33, 900), (1200, 33))
    """

    grey: NDArray[np.uint8]
    small: NDArray[np.uint8]
    thumbnail: NDArray[np.uint8]
    upper: NDArray[Any]
    lower: NDArray[Any]
    across: NDArray[Any]
    span: float
    share: float

    @classmethod
    def of(cls, image: Image) -> Reduced:
        """The copies of one image."""
        plane = lightness(image)
        grey = _eight_bits(plane, image.value_range)
        small = _halved(grey)
        height, width = plane.shape
        row_step, column_step = max(1, (height - 1) // LINES), max(1, (width - 1) // LINES)
        last = height - 1
        return cls(
            grey=grey,
            small=small,
            thumbnail=_squeezed(small),
            upper=_sample(plane[: last or 1 : row_step], image.value_range),
            lower=_sample(plane[min(1, last) :: row_step], image.value_range),
            across=_sample(plane[:, ::column_step], image.value_range),
            span=float(image.value_range[1] - image.value_range[0]),
            share=1.0 if image.valid is None else float(image.valid.mean()),
        )


def _eight_bits(plane: NDArray[Any], value_range: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = float(value_range[0]), float(value_range[1])
    scale = 255.0 / (high - low)
    if plane.dtype == np.uint8:
        return (
            plane if (low, high) == (0.0, 255.0) else np.asarray(cv2.LUT(plane, _table("uint8", low, high)), np.uint8)
        )
    if plane.dtype == np.uint16 and low == 0.0:
        return np.asarray(cv2.convertScaleAbs(plane, alpha=scale), np.uint8)
    if plane.dtype in (np.uint16, np.int16):
        return np.asarray(cv2.LUT(plane.view(np.uint16), _table(str(plane.dtype), low, high)), np.uint8)
    unit = np.nan_to_num((plane - low) * scale, nan=0.0, posinf=255.0, neginf=0.0)
    return np.asarray(np.clip(unit + 0.5, 0, 255), np.uint8)


@lru_cache(maxsize=32)
def _table(dtype: str, low: float, high: float) -> NDArray[np.uint8]:
    stored = np.arange(256 if dtype == "uint8" else 65536)
    values = stored.astype(np.uint16).view(np.int16) if dtype == "int16" else stored
    return np.asarray(np.clip((values - low) * (255.0 / (high - low)) + 0.5, 0, 255), np.uint8)


def _halved(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    while max(grey.shape) > SIDE and min(grey.shape) >= 64:
        rows, columns = grey.shape[0] // 2, grey.shape[1] // 2
        # Exact halves take OpenCV's fast path, sixty times faster than an odd factor.
        halved = cv2.resize(grey[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
        grey = np.asarray(halved, np.uint8)
    return grey


def _squeezed(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    by = cv2.INTER_AREA if min(grey.shape) >= 32 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (32, 32), interpolation=by), np.uint8)


def _sample(values: NDArray[Any], value_range: tuple[float, float]) -> NDArray[Any]:
    """A copy that OpenCV takes, uint8, uint16 or float32, in levels of the file, nothing outside the declared range."""
    if values.dtype == np.uint8:
        return np.array(values, order="C")
    low, high = float(value_range[0]), float(value_range[1])
    if values.dtype == np.float32:
        return np.asarray(np.clip(np.nan_to_num(values, nan=low, posinf=high, neginf=low), low, high))
    clipped = np.clip(values, max(low, np.iinfo(values.dtype).min), min(high, np.iinfo(values.dtype).max))
    # Only differences are looked at, so signed levels may be shifted to where OpenCV can subtract them.
    shift = 0 if values.dtype == np.uint16 else 32768
    return np.asarray(clipped + np.int32(shift), np.uint16)
