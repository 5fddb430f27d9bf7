"""The two inner loops of local methods, compiled: counting tiles and blending curves.

Compiled because nothing else reached OpenCV's CLAHE with two threads: on 3000 x 3000 pixels it takes 19 ms at 8 bits and
23.5 at 12; with four cv2.LUT a strip and numpy blends this took 22 and 30, with these loops it takes 11 and 14. They
release the interpreter, so threads share the rows. No fast-math: the same bytes on every machine of a kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["blend_deep_rows", "blend_rows", "count_rows"]


def _compiled(function: F) -> F:
    """Compiled on first use and kept on disk; where no folder can be written, compiled anew in each process."""
    made: Any
    try:
        made = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        made = numba.njit(nogil=True)(function)
    compiled: F = made
    return compiled


@_compiled
def count_rows(
    codes: NDArray[Any],
    valid: NDArray[np.uint8],
    bin_of: NDArray[np.uint8],
    size: tuple[int, int],
    mirrored: NDArray[np.int64],
    counts: NDArray[np.int64],
    rows: tuple[int, int],
) -> None:
    """Add up the histograms of the tile rows `rows[0]` to `rows[1]` into counts (rows, columns, bins).

    `valid` is (0, 0) where every pixel counts. `size` is the height and width of a tile; tiles that reach past the image
    read `mirrored` (the column that stands for each one past the end; rows alike, below the columns).
    """
    height, width = size
    below, right = codes.shape
    for i in range(rows[0], rows[1]):
        for j in range(counts.shape[1]):
            # Four counters side by side: neighbours are alike, and adding to one place twice in a row is slow.
            found = np.zeros((4, counts.shape[2]), np.int64)
            for y in range(i * height, (i + 1) * height):
                row = y if y < below else mirrored[1, y - below]
                stop = min((j + 1) * width, right)
                for x in range(j * width, stop):
                    if valid.size == 0 or valid[row, x]:
                        found[x & 3, bin_of[codes[row, x]]] += 1
                for x in range(max(stop, j * width), (j + 1) * width):
                    column = mirrored[0, x - right]
                    if valid.size == 0 or valid[row, column]:
                        found[x & 3, bin_of[codes[row, column]]] += 1
            for k in range(counts.shape[2]):
                counts[i, j, k] = found[0, k] + found[1, k] + found[2, k] + found[3, k]


@_compiled
def _fill(
    tables: NDArray[np.float32],
    above: NDArray[np.float32],
    below: NDArray[np.float32],
    node: NDArray[np.int64],
    part: NDArray[np.float32],
) -> None:
    """For every cell of a row and every level: a + x b + y (c + x d) blends the four curves around; (cells, 4, levels)."""
    last = above.shape[0] - 1
    for cell in range(tables.shape[0]):
        left, right = max(cell - 1, 0), min(cell, last)
        for level in range(tables.shape[2]):
            k, f = node[level], part[level]
            n = min(k + 1, above.shape[1] - 1)
            a = above[left, k] + f * (above[left, n] - above[left, k])
            b = above[right, k] + f * (above[right, n] - above[right, k])
            c = below[left, k] + f * (below[left, n] - below[left, k])
            d = below[right, k] + f * (below[right, n] - below[right, k])
            tables[cell, 0, level] = a
            tables[cell, 1, level] = b - a
            tables[cell, 2, level] = c - a
            tables[cell, 3, level] = d - c - b + a


@_compiled
def _blend_span(
    codes: NDArray[Any],
    table: NDArray[np.float32],
    across: NDArray[np.float32],
    down: np.float32,
    outcome: NDArray[Any],
) -> None:
    a, b, c, d = table[0], table[1], table[2], table[3]
    for x in range(codes.shape[0]):
        level = codes[x]
        outcome[x] = (a[level] + across[x] * b[level]) + down * (c[level] + across[x] * d[level])


@_compiled
def blend_rows(
    codes: NDArray[Any],
    curves: NDArray[np.float32],
    node: NDArray[np.int64],
    part: NDArray[np.float32],
    vertical: tuple[NDArray[np.int64], NDArray[np.float32]],
    edges: NDArray[np.int64],
    across: NDArray[np.float32],
    rows: tuple[int, int],
    outcome: NDArray[Any],
) -> None:
    """Pixels of `rows` through curves (tile rows, tile columns, bins), blended bilinearly, into outcome.

    `node` and `part` say for every level between which bins it lies and how far; `vertical` for every row its cell and
    its place in it; cells are `edges[j]` to `edges[j + 1]` wide. A table for every level: for up to some thousand of them.
    """
    cell_of, down = vertical
    tables = np.empty((edges.shape[0] - 1, 4, node.shape[0]), np.float32)
    filled = -1
    for y in range(rows[0], rows[1]):
        if cell_of[y] != filled:
            filled = cell_of[y]
            _fill(tables, curves[max(filled - 1, 0)], curves[min(filled, curves.shape[0] - 1)], node, part)
        for j in range(edges.shape[0] - 1):
            span = slice(edges[j], edges[j + 1])
            _blend_span(codes[y, span], tables[j], across[span], down[y], outcome[y, span])


@_compiled
def _blend_deep_span(
    codes: NDArray[Any],
    curves: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    scale: np.float32,
    across: NDArray[np.float32],
    down: np.float32,
    outcome: NDArray[Any],
) -> None:
    a, b, c, d = curves
    last = a.shape[0] - 2
    for x in range(codes.shape[0]):
        place = np.float32(codes[x]) * scale
        k = min(np.int64(place), last)
        # As _levels.between: a place within 1/30 of a bin of its centre counts as the centre.
        f = ((place - np.float32(k)) * np.float32(30) - np.float32(1)) * np.float32(1 / 28)
        f = min(max(f, np.float32(0)), np.float32(1))
        left, right = a[k] + f * (a[k + 1] - a[k]), b[k] + f * (b[k + 1] - b[k])
        above = left + across[x] * (right - left)
        left, right = c[k] + f * (c[k + 1] - c[k]), d[k] + f * (d[k + 1] - d[k])
        outcome[x] = above + down * (left + across[x] * (right - left) - above)


@_compiled
def blend_deep_rows(
    codes: NDArray[Any],
    curves: NDArray[np.float32],
    scale: np.float32,
    vertical: tuple[NDArray[np.int64], NDArray[np.float32]],
    edges: NDArray[np.int64],
    across: NDArray[np.float32],
    rows: tuple[int, int],
    outcome: NDArray[Any],
) -> None:
    """The same without tables, for more levels than a table in the cache can hold; a level times `scale` is its bin."""
    cell_of, down = vertical
    last_row, last_column = curves.shape[0] - 1, curves.shape[1] - 1
    for y in range(rows[0], rows[1]):
        above, below = curves[max(cell_of[y] - 1, 0)], curves[min(cell_of[y], last_row)]
        for j in range(edges.shape[0] - 1):
            span, left, right = slice(edges[j], edges[j + 1]), max(j - 1, 0), min(j, last_column)
            around = (above[left], above[right], below[left], below[right])
            _blend_deep_span(codes[y, span], around, scale, across[span], down[y], outcome[y, span])
