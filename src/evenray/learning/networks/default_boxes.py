"""The default boxes of SSD: what the network answers about, at every place of its maps (Liu et al. 2016, section 2.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["boxes_a_place", "default_boxes", "scales"]

LARGEST = 0.9
FEW, MANY = (1.0, 2.0, 0.5), (1.0, 2.0, 0.5, 3.0, 1 / 3)  # width : height


def scales(maps: int, smallest: float) -> list[float]:
    """The side of the boxes of each map as a share of the image's, and one more.

    The first map has `smallest`; the others go in even steps, whole per cents as in the authors' code, from twice that to .9.

    >>> [round(300 * scale) for scale in scales(6, 0.1)]
    [30, 60, 111, 162, 213, 264, 315]
    """
    step = int(100 * (LARGEST - 2 * smallest) / max(1, maps - 2)) / 100
    return [smallest, *(2 * smallest + step * k for k in range(maps))]


def boxes_a_place(maps: int) -> list[int]:
    """4 boxes at every place of the first map and of the last two, 6 of the others.

    >>> boxes_a_place(6)
    [4, 6, 6, 6, 4, 4]
    """
    return [len(_aspects(k, maps)) + 1 for k in range(maps)]


def default_boxes(sides: Sequence[int], smallest: float = 0.1) -> NDArray[np.float32]:
    """All default boxes for square maps of these sides: float32 (A, 4), x and y of the centre, width and height, as shares of
    the image's side; in the order of the network's answers (map, row, column, box).

    At every place one box an aspect ratio, at the map's scale, and a larger square one between this scale and the next.

    >>> default_boxes((38, 19, 10, 5, 3, 1)).shape
    (8732, 4)
    >>> default_boxes((1,), 0.5)[0]
    array([0.5, 0.5, 0.5, 0.5], dtype=float32)
    """
    found, sizes = [], scales(len(sides), smallest)
    for k, side in enumerate(sides):
        shapes = [(sizes[k] * ratio**0.5, sizes[k] / ratio**0.5) for ratio in _aspects(k, len(sides))]
        shapes.append(((sizes[k] * sizes[k + 1]) ** 0.5,) * 2)
        middle = (np.arange(side) + 0.5) / side
        grid = np.empty((side, side, len(shapes), 4), np.float32)
        grid[..., 0], grid[..., 1] = middle[None, :, None], middle[:, None, None]
        grid[..., 2:] = shapes
        found.append(grid.reshape(-1, 4))
    return np.concatenate(found)


def _aspects(k: int, maps: int) -> tuple[float, ...]:
    return FEW if k == 0 or k >= maps - 2 else MANY
