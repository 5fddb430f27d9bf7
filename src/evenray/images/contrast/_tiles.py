"""Tiles: their geometry, their histograms and the clip limit, as OpenCV's CLAHE has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.threads import over, shares

from ._kernels import count_rows
from ._levels import BINS

__all__ = ["Tiling", "clipped", "count", "filled"]


@dataclass(frozen=True)
class Tiling:
    """`rows` x `columns` tiles of `height` x `width` pixels; together they may reach past the image."""

    rows: int
    columns: int
    height: int
    width: int

    @classmethod
    def of(cls, shape: tuple[int, int], tiles: int | tuple[int, int]) -> Tiling:
        """Where the image does not divide evenly it is extended at the right and at the bottom, as in OpenCV."""
        rows, columns = (tiles, tiles) if isinstance(tiles, int) else tiles
        height, width = shape
        if height % rows or width % columns:
            height, width = height + rows - height % rows, width + columns - width % columns
        return cls(rows, columns, height // rows, width // columns)


def count(codes: NDArray[Any], number: int, valid: NDArray[np.bool_] | None, tiling: Tiling) -> NDArray[np.int64]:
    """The histogram of every tile, int64 (rows, columns, bins); missing pixels are not counted.

    What lies past the image is mirrored (reflect 101). `number` levels go to at most 256 bins, each to the nearest.
    """
    bins = min(BINS, number)
    bin_of = np.rint(np.arange(number) * ((bins - 1) / max(number - 1, 1))).astype(np.uint8)
    codes = np.ascontiguousarray(codes)
    shown = np.zeros((0, 0), np.uint8) if valid is None else np.ascontiguousarray(valid).view(np.uint8)
    counts = np.zeros((tiling.rows, tiling.columns, bins), np.int64)
    mirrored = _mirrored(codes.shape, tiling)

    def work(rows: tuple[int, int]) -> None:
        count_rows(codes, shown, bin_of, (tiling.height, tiling.width), mirrored, counts, rows)

    over(shares(tiling.rows, codes.size), work, codes.size)
    return counts


def clipped(counts: NDArray[np.int64], clip: float) -> NDArray[np.int64]:
    """Counts cut at `clip` times the mean count of a bin, and what was cut spread evenly over all bins.

    `counts` is (tiles, bins). The rounding is OpenCV's: the remainder goes to evenly spaced bins, one each.

    >>> clipped(np.array([[8, 0, 0, 0]]), 2.0)
    array([[5, 1, 1, 1]])
    """
    bins = counts.shape[1]
    limit = np.maximum((clip * counts.sum(axis=1) / bins).astype(np.int64), 1)[:, None]
    excess = np.maximum(counts - limit, 0).sum(axis=1)
    share, rest = np.divmod(excess, bins)
    outcome: NDArray[np.int64] = np.minimum(counts, limit) + share[:, None]
    step = np.maximum(bins // np.maximum(rest, 1), 1)[:, None]
    turn = np.arange(bins)[None] / step  # a whole number at every step-th bin; float division is the fast one
    outcome += (turn == np.floor(turn)) & (turn < rest[:, None])
    return outcome


def filled(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tiles without a single pixel take the histogram of the nearest one that has some; (rows, columns, bins)."""
    some = counts.any(axis=2)
    if some.all() or not some.any():
        return counts
    have = np.argwhere(some)
    counts = counts.copy()
    for row, column in np.argwhere(~some):
        nearest = have[np.abs(have - (row, column)).sum(axis=1).argmin()]
        counts[row, column] = counts[tuple(nearest)]
    return counts


def _mirrored(shape: tuple[int, ...], tiling: Tiling) -> NDArray[np.int64]:
    """The columns (first row) and rows (second) that stand for those past the image: reflect 101, int64 (2, n)."""
    past = [tiling.columns * tiling.width - shape[1], tiling.rows * tiling.height - shape[0]]
    found = np.zeros((2, max(*past, 1)), np.int64)
    for line, (beyond, length) in enumerate(zip(past, (shape[1], shape[0]), strict=True)):
        for step in range(beyond):
            found[line, step] = cv2.borderInterpolate(length + step, length, cv2.BORDER_REFLECT_101)
    return found
