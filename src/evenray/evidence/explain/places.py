"""Where in an image attribution lies: in regions that are known to matter, in the body, at the border, on burned-in text."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.data.audit.text import strokes
from evenray.data.letterbox import Placement
from evenray.images.contrast.border import border
from evenray.images.levels import lightness

from .window import Window

__all__ = ["TOLERANCE", "Places", "body_of", "overlap", "points_at", "share_within"]

RING = 1 / 16  # of the side, as in the audit's check of borders
TOLERANCE = 0.05  # of the longer side: 15 pixels of some 300 (Zhang et al. 2018, section 4.2)
DARK = 0.04  # of the grey range, as the contrast `border` has it
Map = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """Three parts of the square that a network looks at, float32 (size, size), of each pixel the share that belongs to it.

    `body` is the largest part of the image that is brighter than its margins, without holes; `ring` the outermost sixteenth of the
    image's side, and what of the square no image covers; `text` are strokes of the burned-in kind.
    """

    body: Map
    ring: Map
    text: Map

    @classmethod
    def of(cls, image: Image, size: int) -> Places:
        """Those of an image in a square of `size` pixels."""
        place = Placement.of(image.shape, size)
        ring = np.ones(image.shape, np.float32)
        down, across = (max(1, round(side * RING)) for side in image.shape)
        ring[down:-down, across:-across] = 0
        return cls(_placed(body_of(image), place), _placed(ring, place, outside=1), _placed(strokes(image), place))

    def within(self, window: Window, size: int) -> Places:
        """The same of what a network of `size` sees through a window."""
        return Places(*(window.of_map(part, size) for part in (self.body, self.ring, self.text)))


def share_within(map_HW: Map, part_HW: Map) -> float:
    """The share of a map's sum that lies in a part; NaN of an empty map.

    >>> share_within(np.ones((2, 2), np.float32), np.array([[1, 0.5], [0, 0]], np.float32))
    0.375
    """
    total = float(map_HW.sum())
    return float((map_HW * part_HW).sum()) / total if total > 0 else float("nan")


def body_of(image: Image) -> Mask:
    """The largest part of an image that is brighter than 4 % of its grey range, holes filled; missing pixels and dark margins are
    outside. All of the image where nothing is brighter."""
    trimmed = border(image)
    low, high = image.value_range
    bright = lightness(image) > low + DARK * (high - low)
    if trimmed.valid is not None:
        bright &= trimmed.valid
    outlines = cv2.findContours(bright.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    if not outlines:
        return np.ones(image.shape, np.bool_)
    found = np.zeros(image.shape, np.uint8)
    cv2.drawContours(found, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return found.astype(np.bool_)


def points_at(map_HW: Map, region_HW: Mask) -> bool:
    """The pointing game (Zhang et al. 2018): whether the highest place of a map lies in a region, or by at most a twentieth of
    the longer side beside it.

    >>> region = np.zeros((40, 40), bool)
    >>> region[:10, :10] = True
    >>> peak = np.zeros((40, 40), np.float32)
    >>> peak[11, 5] = 1
    >>> points_at(peak, region), points_at(np.roll(peak, 2, 0), region)
    (True, False)
    """
    row, column = np.unravel_index(int(map_HW.argmax()), map_HW.shape)
    return bool(map_HW.max() > 0 and near(region_HW)[row, column])


def near(region_HW: Mask) -> Mask:
    """A region and what lies beside it by at most the tolerance: where the pointing game hits."""
    away = cv2.distanceTransform((~region_HW).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(away <= TOLERANCE * max(region_HW.shape))


def overlap(map_HW: Map, region_HW: Mask) -> float:
    """Of the places that a map marks most, as many as the region has pixels, the share within it: their Dice.

    >>> overlap(np.array([[3, 2], [1, 0]], np.float32), np.array([[True, False], [True, False]]))
    0.5
    """
    pixels = int(np.count_nonzero(region_HW))
    if not pixels:
        return 0.0
    most = np.argpartition(-map_HW.ravel(), pixels - 1)[:pixels]
    return float(region_HW.ravel()[most].mean())


def _placed(part: NDArray[np.generic], place: Placement, outside: float = 0) -> Map:
    (top, left), (rows, columns) = place.offset, place.inner
    how = cv2.INTER_AREA if rows < part.shape[0] else cv2.INTER_LINEAR
    found = np.full((place.size, place.size), outside, np.float32)
    found[top : top + rows, left : left + columns] = cv2.resize(
        part.astype(np.float32), (columns, rows), interpolation=how
    )
    return found
