"""Letterboxing: an image fitted into a square with its aspect kept, and the way back from the square to the file's pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.marks import OUTSIDE_PIXEL
from evenray.core.types import Image

__all__ = ["Placement", "letterbox"]

LAYERS = 4  # as many as OpenCV takes the means of areas of at once


@dataclass(frozen=True)
class Placement:
    """Where an image of `shape` (rows, columns) lies in a square of `size` pixels: resized to `inner`, its corner at `offset`.

    Coordinates are (row, column) from the outer corner of the first pixel, so the centre of that pixel is (0.5, 0.5).
    """

    shape: tuple[int, int]
    size: int
    inner: tuple[int, int]
    offset: tuple[int, int]

    @classmethod
    def of(cls, shape: tuple[int, int], size: int) -> Placement:
        """The placement of an image of this shape: as large as fits, in the middle.

        >>> Placement.of((2, 4), 4)
        Placement(shape=(2, 4), size=4, inner=(2, 4), offset=(1, 0))
        """
        ratio = size / max(shape)
        rows, columns = (max(1, round(side * ratio)) for side in shape)
        return cls(shape, size, (rows, columns), ((size - rows) // 2, (size - columns) // 2))

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the square for one pixel of the image, along rows and columns; they differ by rounding only."""
        return self.inner[0] / self.shape[0], self.inner[1] / self.shape[1]

    def from_image(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Points (..., 2) or boxes (..., 4: top, left, bottom, right) of the image as coordinates in the square.

        >>> Placement.of((2, 4), 8).from_image(np.array([0, 0, 2, 4]))
        array([2., 0., 6., 8.])
        """
        pairs = np.asarray(points, np.float64).reshape(-1, 2)
        return np.asarray(pairs * self.scale + self.offset).reshape(np.shape(points))

    def to_image(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Points (..., 2) or boxes (..., 4) of the square as coordinates in the image."""
        pairs = np.asarray(points, np.float64).reshape(-1, 2)
        return np.asarray((pairs - self.offset) / self.scale).reshape(np.shape(points))

    def boxes_from_image(self, boxes: NDArray[Any]) -> NDArray[np.float64]:
        """Boxes (..., 4: x0, y0, x1, y1) of the image as coordinates in the square.

        >>> Placement.of((2, 4), 8).boxes_from_image(np.array([0, 0, 4, 2]))
        array([0., 2., 8., 6.])
        """
        return self.from_image(np.asarray(boxes)[..., [1, 0, 3, 2]])[..., [1, 0, 3, 2]]

    def boxes_to_image(self, boxes: NDArray[Any]) -> NDArray[np.float64]:
        """Boxes (..., 4: x0, y0, x1, y1) of the square as coordinates in the image."""
        return self.to_image(np.asarray(boxes)[..., [1, 0, 3, 2]])[..., [1, 0, 3, 2]]

    def spacing(self, spacing_mm: tuple[float, float]) -> tuple[float, float]:
        """The size of a pixel of the square in mm, along rows and columns, of an image whose pixels have this size.

        >>> Placement.of((2, 4), 8).spacing((0.5, 0.25))
        (0.25, 0.125)
        """
        return spacing_mm[0] / self.scale[0], spacing_mm[1] / self.scale[1]

    def place(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A mask of the image in the square, uint8 (size, size): of each pixel the value of the nearest one; 254 outside the image, so
        that what is black by construction is not counted as told right.

        >>> Placement.of((2, 4), 4).place(np.array([[1, 2, 3, 4], [5, 6, 7, 255]], np.uint8))[:, 3].tolist()
        [254, 4, 255, 254]
        """
        if mask.shape != self.shape:
            raise UsageError(f"The mask has shape {mask.shape}; expected {self.shape}, as the image.")
        (top, left), (rows, columns) = self.offset, self.inner
        found = np.full((self.size, self.size), OUTSIDE_PIXEL, np.uint8)
        inside = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_NEAREST_EXACT)
        found[top : top + rows, left : left + columns] = inside
        return found

    def inside(self, values: NDArray[Any]) -> NDArray[Any]:
        """The part of an array over the square that the image covers, in the pixels of the square."""
        (top, left), (rows, columns) = self.offset, self.inner
        return np.ascontiguousarray(values[top : top + rows, left : left + columns])

    def restore(self, values: NDArray[Any]) -> NDArray[Any]:
        """An array over the square, (size, size) or (size, size, C), as one over the image.

        Floats are interpolated; masks and other integers take the value of the nearest pixel. UsageError for another shape.
        """
        if values.shape[:2] != (self.size, self.size):
            raise UsageError(f"The array has shape {values.shape}; expected ({self.size}, {self.size}), as the square.")
        inside, rows = self.inside(values), self.inner[0]
        if np.issubdtype(values.dtype, np.floating):
            how = cv2.INTER_AREA if rows > self.shape[0] else cv2.INTER_LINEAR
            layers = [inside] if inside.ndim == 2 else np.split(inside, range(LAYERS, inside.shape[2], LAYERS), axis=2)
            resized = [cv2.resize(part, self.shape[::-1], interpolation=how) for part in layers]
            return np.asarray(resized[0] if len(resized) == 1 else np.dstack(resized))
        row, column = (
            ((np.arange(n) + 0.5) * scale).astype(int) for n, scale in zip(self.shape, self.scale, strict=True)
        )
        return np.asarray(inside[np.ix_(row, column)])


def letterbox(image: Image, size: int, channels: int, white: int) -> tuple[NDArray[Any], Placement]:
    """The pixels of an image in a square, (size, size) or (size, size, 3), and its placement.

    The value range becomes 0 to `white` (255: uint8, 65535: uint16); missing pixels and what the image does not cover are 0.

    >>> letterbox(Image(np.full((2, 4), 9, np.uint8), (0, 9)), 4, 1, 255)[0][:, 0]
    array([  0, 255, 255,   0], dtype=uint8)
    """
    low, high = image.value_range
    pixels: NDArray[Any] = image.pixels.astype(np.float32)
    if image.valid is not None:
        pixels[~image.valid] = low
    if channels == 1 and image.channels == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    placement = Placement.of(image.shape, size)
    (top, left), (rows, columns) = placement.offset, placement.inner
    how = cv2.INTER_AREA if size < max(image.shape) else cv2.INTER_LINEAR
    small = cv2.resize(pixels, (columns, rows), interpolation=how)
    small = np.clip((small - low) * (white / (high - low)) + 0.5, 0, white)
    square = np.zeros((size, size, *small.shape[2:]), np.uint8 if white == 255 else np.uint16)
    square[top : top + rows, left : left + columns] = small
    if channels == 3 and square.ndim == 2:
        square = np.repeat(square[..., None], 3, axis=2)
    return square, placement
