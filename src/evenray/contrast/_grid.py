"""Applies a grid of curves, one a tile, blended bilinearly between the centres of the tiles.

Every pixel takes four look-ups and three blends. To do that at the speed of memory without compiled code of our own,
the image is walked in strips. Within a strip the four look-ups are one `cv2.LUT` each over the whole width: the index
is the grey level plus the offset of the pixel's cell, and the tables of all cells of the row stand one after the other.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ._levels import at
from ._threads import over, workers
from ._tiles import Tiling

__all__ = ["blend"]

_STRIP = 250_000  # pixels; OpenCV starts threads of its own inside a look-up of 2^18 pixels
_TABLE = 65_536


def blend(codes: NDArray[Any], number: int, curves: NDArray[np.float64], tiling: Tiling, dtype: type) -> NDArray[Any]:
    """Indices 0 to number - 1, (H, W), through curves (rows, columns, bins) of unit values.

    Comes back as indices of the same kind where `dtype` is an integer type, as unit values for float32.
    """
    values = curves.astype(np.float32)
    if curves.shape[2] != number:
        values = at(values, np.linspace(0, 1, number))
    values = values if dtype == np.float32 else values * np.float32(number - 1) + np.float32(0.5)
    outcome: NDArray[Any] = np.empty(codes.shape, dtype)
    column, across = _cells(codes.shape[1], tiling.width)
    row, down = _cells(codes.shape[0], tiling.height)
    shares = np.linspace(0, codes.shape[0], workers(codes.size) + 1).astype(int)

    def work(share: int) -> None:
        _blend_rows(codes, values, outcome, (row, down), (column, across), (shares[share], shares[share + 1]))

    over(range(len(shares) - 1), work, codes.size)
    return outcome


def _cells(length: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For every pixel along one side: its cell between tile centres (0 is before the first) and its place in it."""
    place = np.arange(length, dtype=np.float32) * (np.float32(1) / np.float32(size)) - np.float32(0.5)
    below = np.floor(place)
    return below.astype(np.int64) + 1, place - below


def _blend_rows(
    codes: NDArray[Any],
    values: NDArray[np.float32],
    outcome: NDArray[Any],
    vertical: tuple[NDArray[np.int64], NDArray[np.float32]],
    horizontal: tuple[NDArray[np.int64], NDArray[np.float32]],
    rows: tuple[int, int],
) -> None:
    (row, down), (column, across) = vertical, horizontal
    height = max(1, _STRIP // codes.shape[1])
    number = values.shape[2]
    together = max(1, _TABLE // number)  # cells whose tables fit one look-up
    groups = [np.flatnonzero(column // together == g)[[0, -1]] for g in np.unique(column // together)]
    for left, right in groups:
        span = np.s_[left : right + 1]
        offsets = ((column[span] - column[left]) * number).astype(np.uint16)
        weights = np.ascontiguousarray(np.broadcast_to(across[span], (height, len(offsets))))
        index = np.empty(weights.shape, np.uint16)
        planes = np.empty((4, *weights.shape), np.float32)
        cells = (column[left], column[right] + 1)
        for cell in np.unique(row[rows[0] : rows[1]]):
            tables = _tables(values, int(cell), cells)
            first, last = np.searchsorted(row, [cell, cell + 1])
            first, last = max(first, rows[0]), min(last, rows[1])
            for top in range(first, last, height):
                strip = np.s_[top : min(top + height, last)]
                n = strip.stop - top
                np.add(codes[strip, span], offsets, out=index[:n], casting="unsafe")
                a, b, c, d = (cv2.LUT(index[:n], table, plane[:n]) for table, plane in zip(tables, planes, strict=True))
                cv2.accumulateProduct(b, weights[:n], a)
                cv2.accumulateProduct(d, weights[:n], c)
                np.multiply(c, down[strip, None], out=c)
                np.add(a, c, out=a)
                np.copyto(outcome[strip, span], a, casting="unsafe")


def _tables(values: NDArray[np.float32], cell: int, columns: tuple[int, int]) -> NDArray[np.float32]:
    """For one row of cells: a + x b + y (c + x d) is the blend of the four curves around; float32 (4, 1, 65,536)."""
    above, below = values[max(cell - 1, 0)], values[min(cell, values.shape[0] - 1)]
    cells = np.arange(*columns)
    left, right = np.maximum(cells - 1, 0), np.minimum(cells, values.shape[1] - 1)
    a, b = above[left], above[right] - above[left]
    c, d = below[left] - a, below[right] - below[left] - b
    tables = np.zeros((4, 1, _TABLE), np.float32)
    for table, part in zip(tables, (a, b, c, d), strict=True):
        table[0, : part.size] = part.ravel()
    return tables
