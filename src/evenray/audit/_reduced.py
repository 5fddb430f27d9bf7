"""The cheap copies of one image that the measures share, so that each pixel is touched once or twice for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.histogram import lightness

__all__ = ["Reduced", "thumbnail"]

SIDE = 512  # the small copy is halved until both sides fit
LINES = 32  # pairs of neighbouring rows, and columns, that are looked at in full resolution


@dataclass(frozen=True)
class Reduced:
    """What the measures work on.

    `grey` is the image at full size, uint8 (H, W), the declared range on 0..255; `small` the same, halved until no
    side exceeds 512; `thumbnail` the whole image squeezed to 32 x 32. For what 8 bits would hide there are samples in
    the file's own levels, int32 or float32: `steps` (2, pairs, W - 1), the steps between neighbours in the upper and
    lower row of pairs of rows, and `columns` (H, lines). `span` is the width of the range in levels, `share` the
    valid share of the pixels, 0..1.

    >>> image = Image(np.full((1200, 900), 255, np.uint8), levels=(0, 255))
    >>> reduced = Reduced.of(image)
    >>> reduced.grey.shape, reduced.small.shape, reduced.thumbnail.shape, reduced.steps.shape
    ((1200, 900), (300, 225), (32, 32), (2, 32, 899))
    """

    grey: NDArray[np.uint8]
    small: NDArray[np.uint8]
    thumbnail: NDArray[np.uint8]
    steps: NDArray[Any]
    columns: NDArray[Any]
    span: float
    share: float

    @classmethod
    def of(cls, image: Image) -> Reduced:
        """The copies of one image."""
        plane = lightness(image)
        grey = _eight_bits(plane, image.levels)
        small = _halved(grey)
        rows, columns = _sampled(*plane.shape)
        lines = _clipped(plane[rows], image.levels)
        return cls(
            grey=grey,
            small=small,
            thumbnail=_squeezed(small),
            steps=lines[..., 1:] - lines[..., :-1],
            columns=_clipped(plane[:, columns], image.levels),
            span=float(image.levels[1] - image.levels[0]),
            share=1.0 if image.valid is None else float(image.valid.mean()),
        )


def thumbnail(image: Image) -> bytes:
    """The whole image squeezed to 32 x 32 grey levels, uint8 row by row, 1024 bytes.

    >>> thumbnail(Image(np.full((64, 48), 4095, np.uint16), levels=(0, 4095))) == bytes([255] * 1024)
    True
    """
    return _squeezed(_halved(_eight_bits(lightness(image), image.levels))).tobytes()


def _eight_bits(plane: NDArray[Any], levels: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = float(levels[0]), float(levels[1])
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


@lru_cache(maxsize=256)
def _sampled(height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers (2, pairs) and column numbers (lines,) spread evenly over the image."""
    upper = np.unique(np.linspace(0, max(height - 2, 0), LINES).astype(np.int64))
    return np.stack([upper, np.minimum(upper + 1, height - 1)]), np.unique(
        np.linspace(0, width - 1, LINES).astype(np.int64)
    )


def _clipped(values: NDArray[Any], levels: tuple[float, float]) -> NDArray[Any]:
    """In the file's own levels, int32 or float32, nothing outside the declared range."""
    if values.dtype != np.float32:
        whole = values.astype(np.int32)
        inside = values.dtype == np.uint8 and levels[0] <= 0 and levels[1] >= 255
        return whole if inside else np.clip(whole, int(levels[0]), int(levels[1]), out=whole)
    low, high = float(levels[0]), float(levels[1])
    return np.asarray(np.clip(np.nan_to_num(values, nan=low, posinf=high, neginf=low), low, high))
