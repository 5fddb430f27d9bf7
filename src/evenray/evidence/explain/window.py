"""The part of a prepared image that is explained: the whole, or of an image that is larger than the network one window of it.

Of such an image the network sees windows alone, so that what it says of a place is explained by the window about it: of masks the one
in which most of what is explained lies, of boxes the one about the middle of the box, or the whole image made small where the box
is too large for windows (see learning/box_windows.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evenray.data.letterbox import Placement
from evenray.learning.augment import resized
from evenray.learning.box_windows import SMALL

__all__ = ["Window", "about_box", "densest"]

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
        return own if self.side == size else np.asarray(cv2.resize(own, (size, size), interpolation=cv2.INTER_AREA))

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
        square = np.zeros((place.size, place.size), np.float32)
        own = cv2.resize(map_SS, (self.side, self.side), interpolation=cv2.INTER_LINEAR)
        square[self.top : self.top + self.side, self.left : self.left + self.side] = own
        return np.asarray(place.restore(square)[self.bounds(place)], np.float32)


def _about(row: float, column: float, side: int, size: int) -> Window:
    """The window of `size` with this point in its middle, or as near to it as it can be within an image of `side`."""
    top, left = (int(min(max(0, round(middle - size / 2)), side - size)) for middle in (row, column))
    return Window(top, left, size)


def about_box(box: Sequence[float] | NDArray[np.float64], side: int, size: int) -> Window:
    """The window of `size` about a box (left, top, right, bottom) in an image of `side`, or the whole image.

    >>> about_box((50, 10, 60, 20), 100, 40), about_box((50, 10, 80, 20), 100, 40)
    (Window(top=0, left=35, side=40), Window(top=0, left=0, side=100))
    """
    left, top, right, bottom = box
    if max(right - left, bottom - top) > SMALL * size:
        return Window(0, 0, side)
    return _about((top + bottom) / 2, (left + right) / 2, side, size)


def densest(marked_SS: NDArray[np.bool_], size: int) -> Window:
    """The window of `size` with most marked pixels; of several, the one most in the middle of them; of nothing, that of the image.

    >>> marked = np.zeros((100, 100), bool)
    >>> marked[50:52, 80:90] = True
    >>> densest(marked, 40), densest(np.zeros((100, 100), bool), 40)
    (Window(top=31, left=55, side=40), Window(top=30, left=30, side=40))
    """
    sums = cv2.integral(marked_SS.astype(np.uint8)).astype(np.int64)
    counts = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    starts = np.argwhere(counts == counts.max())
    top, left = starts[((starts - starts.mean(0)) ** 2).sum(1).argmin()].tolist()
    return Window(top, left, size)
