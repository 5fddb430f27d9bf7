"""The part of a prepared image that is explained: the whole, or of an image that is larger than the network one window of it.

Of such an image the network sees windows alone, so that what it says of a place is explained by a window there: of masks one in which
most of what is explained lies, of boxes one that holds the box, or the whole image made small where the box is too large for
windows (see learning/box_windows.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evenray.data.letterbox import Placement
from evenray.learning.augment import resized
from evenray.learning.box_windows import SMALL

__all__ = ["Window", "about_box", "densest", "middle"]

NEARLY = 0.95  # of the most marked pixels that a window may have
Map = NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """A square part of a square image, in pixels of that image."""

    top: int
    left: int
    side: int

    def of(self, x_NCSS: Tensor, size: int) -> Tensor:
        """What the network, which is of this size, sees of images: (N, C, size, size)."""
        bottom, right = self.top + self.side, self.left + self.side
        return resized(x_NCSS[..., self.top : bottom, self.left : right], size)

    def of_map(self, part_SS: Map, size: int) -> Map:
        """The same of a map over the image, as shares of pixels."""
        own = part_SS[self.top : self.top + self.side, self.left : self.left + self.side]
        return (
            own.copy() if self.side == size else np.asarray(cv2.resize(own, (size, size), interpolation=cv2.INTER_AREA))
        )

    def bounds(self, place: Placement) -> tuple[slice, slice]:
        """The rows and columns of the file's image that lie in it, at least one of each.

        >>> Window(10, 20, 40).bounds(Placement.of((200, 100), 100))
        (slice(20, 100, None), slice(0, 70, None))
        """
        corners = place.to_image(np.array([self.top, self.left, self.top + self.side, self.left + self.side]))
        found = []
        for first, last, side in zip(corners[:2], corners[2:], place.shape, strict=True):
            start = min(max(0, round(first)), side - 1)
            found.append(slice(start, max(start + 1, min(round(last), side))))
        return found[0], found[1]

    def in_image(self, map_SS: Map, place: Placement) -> Map:
        """A map of what the network sees in pixels of the file's image, of these `bounds`: nothing but resized."""
        own = cv2.resize(map_SS, (self.side, self.side), interpolation=cv2.INTER_LINEAR)
        covered = []
        for start, offset, inner in zip((self.top, self.left), place.offset, place.inner, strict=True):
            first = min(max(0, offset - start), self.side - 1)
            covered.append(slice(first, max(first + 1, min(offset + inner - start, self.side))))
        down, across = self.bounds(place)
        shape = (across.stop - across.start, down.stop - down.start)
        how = cv2.INTER_AREA if place.inner[0] > place.shape[0] else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(own[covered[0], covered[1]], shape, interpolation=how), np.float32)


def about_box(box: Sequence[float] | NDArray[np.float64], side: int, size: int, rng: np.random.Generator) -> Window:
    """A window of `size` that holds a box (left, top, right, bottom) in an image of `side`, or the whole image where windows do not
    answer for it. Where in the window the box lies is drawn, as in training: were it the middle, a map that knows nothing but the
    middle would be right.

    >>> rng = np.random.default_rng(0)
    >>> window = about_box((50, 10, 60, 20), 100, 40, rng)
    >>> window.top <= 10 < 20 <= window.top + 40, window.left <= 50 < 60 <= window.left + 40
    (True, True)
    >>> about_box((50, 10, 80, 20), 100, 40, rng)
    Window(top=0, left=0, side=100)
    """
    left, top, right, bottom = box
    if max(right - left, bottom - top) > SMALL * size:
        return Window(0, 0, side)
    return Window(_start(top, bottom, side, size, rng), _start(left, right, side, size, rng), size)


def _start(first: float, last: float, side: int, size: int, rng: np.random.Generator) -> int:
    """Where a window begins along an axis on which a box reaches from `first` to `last`."""
    low, high = max(0, min(side, math.ceil(last)) - size), min(side - size, max(0, math.floor(first)))
    return int(rng.integers(low, high + 1))


def middle(side: int, size: int) -> Window:
    """The window of `size` in the middle of an image of `side`.

    >>> middle(100, 40)
    Window(top=30, left=30, side=40)
    """
    return Window((side - size) // 2, (side - size) // 2, size)


def densest(marked_SS: NDArray[np.bool_], size: int, rng: np.random.Generator) -> Window:
    """One of the windows of `size` with nearly most marked pixels, drawn; something is marked.

    >>> marked, rng = np.zeros((100, 100), bool), np.random.default_rng(0)
    >>> marked[50:52, 80:90] = True
    >>> window = densest(marked, 40, rng)
    >>> marked[window.top : window.top + 40, window.left : window.left + 40].sum()
    np.int64(20)
    """
    sums = cv2.integral(marked_SS.astype(np.uint8))
    counts = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    candidates = np.flatnonzero(counts >= NEARLY * counts.max())
    top, left = np.unravel_index(int(rng.choice(candidates)), counts.shape)
    return Window(int(top), int(left), size)
