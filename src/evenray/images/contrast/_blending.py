"""The inner loop of local methods, compiled: a curve for every tile, blended bilinearly between the tiles' centres.

Compiled because OpenCV's own CLAHE has no curves but its own and 8 bits of them, and look-ups and numpy together take
longer than it does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.compiled import compiled

__all__ = ["blend_rows"]


@compiled
def blend_rows(
    indices: NDArray[Any],
    curves: NDArray[np.float32],
    node: NDArray[np.uint8],
    part: NDArray[np.float32],
    vertical: tuple[NDArray[np.int64], NDArray[np.float32]],
    horizontal: tuple[NDArray[np.int64], NDArray[np.float32]],
    rows: tuple[int, int],
    outcome: NDArray[Any],
) -> None:
    """Pixels of `rows` through curves (tile rows, tile columns, bins) into outcome.

    `node` and `part` say for every index between which bins it lies and how far. `vertical` has for every row its cell
    between the centres of tiles and its place in it, 0 to 1; `horizontal` the edges of the cells, and for every column
    its place.
    """
    cell_of, down = vertical
    edges, across = horizontal
    last_row, last_column, bins = curves.shape[0] - 1, curves.shape[1] - 1, curves.shape[2]
    left, rise = np.zeros(bins + 1, np.float32), np.zeros(bins + 1, np.float32)
    for y in range(rows[0], rows[1]):
        above, below = curves[max(cell_of[y] - 1, 0)], curves[min(cell_of[y], last_row)]
        for j in range(edges.shape[0] - 1):
            near, far = max(j - 1, 0), min(j, last_column)
            for k in range(bins):  # the curves at both ends of this cell's part of the row
                left[k] = above[near, k] + down[y] * (below[near, k] - above[near, k])
                rise[k] = above[far, k] + down[y] * (below[far, k] - above[far, k]) - left[k]
            for x in range(edges[j], edges[j + 1]):
                k, f = node[indices[y, x]], part[indices[y, x]]
                start, slope = left[k] + f * (left[k + 1] - left[k]), rise[k] + f * (rise[k + 1] - rise[k])
                outcome[y, x] = start + across[x] * slope
