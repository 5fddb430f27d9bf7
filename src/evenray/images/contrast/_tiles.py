"""Tiles: their geometry, their histograms, the clip limit as OpenCV's CLAHE has it, and the blending of their curves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.images.levels import count

from ._blending import blend_rows
from ._even_bins import BINS, bin_below

__all__ = ["Tiling", "blend", "clipped", "count_tiles", "filled"]

_WORTH_THREADS = 1 << 19  # pixels


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


def count_tiles(
    indices: NDArray[Any], number: int, valid: NDArray[np.bool_] | None, tiling: Tiling
) -> NDArray[np.int64]:
    """The histogram of every tile, int64 (rows, columns, bins); missing pixels are not counted.

    What lies past the image is mirrored (reflect 101). `number` levels go to at most 256 bins, each to the nearest.
    """
    bins = min(BINS, number)
    shown = indices if number == bins == BINS else cv2.LUT(indices, _nearest_bins(number, bins, indices.dtype))
    below, right = tiling.rows * tiling.height - shown.shape[0], tiling.columns * tiling.width - shown.shape[1]
    if below or right:
        shown = cv2.copyMakeBorder(shown, 0, below, 0, right, cv2.BORDER_REFLECT_101)
        if valid is not None:
            wide = cv2.copyMakeBorder(valid.view(np.uint8), 0, below, 0, right, cv2.BORDER_REFLECT_101)
            valid = np.asarray(wide).view(np.bool_)
    counts = np.empty((tiling.rows, tiling.columns, bins), np.int64)
    for i in range(tiling.rows):
        for j in range(tiling.columns):
            y, x = i * tiling.height, j * tiling.width
            tile = np.s_[y : y + tiling.height, x : x + tiling.width]
            counts[i, j] = count(shown[tile], None if valid is None else valid[tile], bins)
    return counts


@lru_cache(maxsize=8)
def _nearest_bins(number: int, bins: int, dtype: np.dtype[Any]) -> NDArray[np.uint8]:
    table = np.zeros(256 if dtype == np.uint8 else 65_536, np.uint8)
    table[:number] = np.rint(np.arange(number) * ((bins - 1) / max(number - 1, 1)))
    return table


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


def blend(indices: NDArray[Any], number: int, curves: NDArray[np.float64], tiling: Tiling, dtype: type) -> NDArray[Any]:
    """Indices 0 to number - 1, (H, W), through curves (rows, columns, bins) of unit values.

    Comes back as indices of the same kind where `dtype` is an integer type, as unit values for float32.
    """
    values = curves.astype(np.float32)
    if dtype != np.float32:  # the cast to integers cuts off, so half a level first
        values = values * np.float32(number - 1) + np.float32(0.5)
    column, across = _cells(indices.shape[1], tiling.width)
    horizontal = np.searchsorted(column, np.arange(column[-1] + 2)), across
    vertical = _cells(indices.shape[0], tiling.height)
    node, part = _bins_below(number, curves.shape[2])
    outcome: NDArray[Any] = np.empty(indices.shape, dtype)

    def work(first: int, last: int) -> None:
        blend_rows(indices, values, node, part, vertical, horizontal, (first, last), outcome)

    rows, threads = indices.shape[0], cv2.getNumThreads()  # one setting governs OpenCV and this
    if threads < 2 or indices.size < _WORTH_THREADS:
        work(0, rows)
    else:
        cuts = [rows * k // (4 * threads) for k in range(4 * threads + 1)]  # a thread that waits holds up a little only
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, cuts, cuts[1:]))
    return outcome


@lru_cache(maxsize=8)
def _bins_below(number: int, bins: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    if number == bins:
        return np.arange(bins, dtype=np.uint8), np.zeros(bins, np.float32)
    node, part = bin_below(np.linspace(0, 1, number), bins)
    return node.astype(np.uint8), part


def _cells(length: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For every pixel along one side: its cell between tile centres (0 is before the first) and its place in it."""
    place = np.arange(length, dtype=np.float32) * (np.float32(1) / np.float32(size)) - np.float32(0.5)
    below = np.floor(place)
    return below.astype(np.int64) + 1, place - below
