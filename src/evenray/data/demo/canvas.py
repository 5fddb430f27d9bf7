"""The drawing board: a grid in millimetres and the few shapes that a phantom is built of, as path lengths in mm.

The shapes use +, -, *, / and square roots only (no exp, sin or pow over pixels), so that machines with other vector
units draw the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MM_PER_PIXEL", "ORIGIN", "SHAPE", "Layer", "X", "Y", "curve", "edge", "ellipsoid", "filled", "ramp", "segments", "tubes",
]  # fmt: skip

Layer = NDArray[np.float32]
Points = Sequence[tuple[float, float]] | NDArray[np.float64]

MM_PER_PIXEL = 1.5
SHAPE = (296, 276)  # rows, columns; 444 x 414 mm
ORIGIN = (-0.5 * MM_PER_PIXEL * (SHAPE[1] - 1), -84.0)  # x, y of the centre of the first pixel, mm

X: Layer = (ORIGIN[0] + MM_PER_PIXEL * np.arange(SHAPE[1])).astype(np.float32)[None, :]  # (1, W)
Y: Layer = (ORIGIN[1] + MM_PER_PIXEL * np.arange(SHAPE[0])).astype(np.float32)[:, None]  # (H, 1)
for _axis in (X, Y):
    _axis.setflags(write=False)


def ellipsoid(layer: Layer, x: float, y: float, a: float, b: float, chord: float, turn: float = 0.0) -> None:
    """Put an ellipsoid into `layer` where it is thicker than what is there.

    Its outline has half-axes a and b (mm), turned by `turn` radians; `chord` is its thickness (mm) at the centre.

    >>> layer = np.zeros(SHAPE, np.float32)
    >>> ellipsoid(layer, 0.0, 0.0, 20.0, 10.0, 6.0)
    >>> float(layer.max().round(1)), float((layer > 0).sum() * MM_PER_PIXEL**2 // 100)
    (6.0, 6.0)
    """
    reach = max(a, b) + MM_PER_PIXEL
    rows, columns = _span(y - reach, y + reach, 1), _span(x - reach, x + reach, 0)
    dx, dy = X[:, columns] - np.float32(x), Y[rows] - np.float32(y)
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = (dx * cosine + dy * sine) / np.float32(a), (dy * cosine - dx * sine) / np.float32(b)
    thickness = np.float32(chord) * np.sqrt(np.maximum(1.0 - u * u - v * v, 0.0))
    layer[rows, columns] = np.maximum(layer[rows, columns], thickness)


def tubes(strokes: Sequence[tuple[Points, float, float]], soft: float) -> Layer:
    """Strokes of (points, width in mm, height), later ones over earlier ones, blurred by `soft` mm; float32 (H, W)."""
    image = np.zeros(SHAPE, np.uint8)
    tallest = max(height for _, _, height in strokes)
    for points, width, height in strokes:
        thickness = max(1, round(width / MM_PER_PIXEL))
        cv2.polylines(image, [_fixed(points)], False, round(255 * height / tallest), thickness, cv2.LINE_AA, 4)
    return _softened(image, soft, tallest)


def segments(lines: NDArray[np.float64], soft: float) -> Layer:
    """Straight tubes, one a row of x, y, x, y (both ends) and diameter, in mm; float32 (H, W), the later ones on top."""
    image = np.zeros(SHAPE, np.uint8)
    ends = _fixed(lines[:, :4].reshape(-1, 2)).reshape(-1, 2, 2).tolist()
    tallest = float(lines[:, 4].max())
    for (start, end), width in zip(ends, lines[:, 4].tolist(), strict=True):
        thickness = max(1, round(0.8 * width / MM_PER_PIXEL))
        cv2.line(image, start, end, round(255 * width / tallest), thickness, cv2.LINE_AA, 4)
    return _softened(image, soft, tallest)


def filled(outlines: Sequence[Points], soft: float) -> Layer:
    """Filled polygons, 1 inside and 0 outside, blurred by `soft` mm; float32 (H, W)."""
    image = np.zeros(SHAPE, np.uint8)
    for points in outlines:
        cv2.fillPoly(image, [_fixed(points)], 255, cv2.LINE_AA, 4)
    return _softened(image, soft, 1.0)


def curve(at: Layer, points: Points) -> Layer:
    """A smooth curve through about these points, read off at `at` (float32, (H, 1)), flat beyond them."""
    places, values = zip(*points, strict=True)
    broken = np.interp(at, places, values).astype(np.float32)
    smooth: Layer = cv2.GaussianBlur(broken, (1, 0), 1.0, sigmaY=6.5 / MM_PER_PIXEL)
    return smooth.reshape(at.shape)


def edge(distance: Any, rounding: float) -> Any:
    """0 outside, rising to 1 as a quarter circle over `rounding` mm inside: how a round side looks from the front.

    >>> edge(np.array([-5.0, 0.0, 10.0, 30.0]), 20.0).round(3)
    array([0.   , 0.   , 0.866, 1.   ])
    """
    t = 1.0 - np.clip(distance / np.float32(rounding), 0.0, 1.0)
    return np.sqrt(1.0 - t * t)


def ramp(value: Any, low: float, high: float) -> Any:
    """0 below low, 1 above high, smooth between.

    >>> ramp(np.array([0.0, 1.5, 9.0]), 1.0, 2.0)
    array([0. , 0.5, 1. ])
    """
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _span(low: float, high: float, axis: int) -> slice:
    """The rows (axis 1) or columns (axis 0) from low to high, mm."""
    first, last = ((value - ORIGIN[axis]) / MM_PER_PIXEL for value in (low, high))
    size = SHAPE[1 - axis]
    return slice(min(max(0, int(first)), size), min(max(0, int(last) + 2), size))


def _fixed(points: Points) -> NDArray[np.int32]:
    """Millimetres to pixels in sixteenths, which OpenCV draws with shift=4."""
    pixels = (np.asarray(points, dtype=np.float64) - np.array(ORIGIN)) / MM_PER_PIXEL
    fixed: NDArray[np.int32] = np.rint(pixels * 16).astype(np.int32)
    return fixed


def _softened(image: NDArray[np.uint8], soft: float, height: float) -> Layer:
    blurred = cv2.GaussianBlur(image.astype(np.float32), (0, 0), soft / MM_PER_PIXEL)
    return np.asarray(blurred * np.float32(height / 255.0), dtype=np.float32)
