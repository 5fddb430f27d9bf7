"""Applies a grid of curves, one a tile, blended bilinearly between the centres of the tiles."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.threads import over, shares

from ._kernels import blend_rows
from ._levels import between
from ._tiles import Tiling

__all__ = ["blend"]


def blend(codes: NDArray[Any], number: int, curves: NDArray[np.float64], tiling: Tiling, dtype: type) -> NDArray[Any]:
    """Indices 0 to number - 1, (H, W), through curves (rows, columns, bins) of unit values.

    Comes back as indices of the same kind where `dtype` is an integer type, as unit values for float32.
    """
    values = curves.astype(np.float32)
    if dtype != np.float32:  # the cast to integers cuts off, so half a level first
        values = values * np.float32(number - 1) + np.float32(0.5)
    column, across = _cells(codes.shape[1], tiling.width)
    edges = np.searchsorted(column, np.arange(column[-1] + 2))
    node, part = _levels_between(number, curves.shape[2])
    vertical = _cells(codes.shape[0], tiling.height)
    outcome: NDArray[Any] = np.empty(codes.shape, dtype)
    codes = np.ascontiguousarray(codes)

    def work(rows: tuple[int, int]) -> None:
        blend_rows(codes, values, node, part, vertical, edges, across, rows, outcome)

    over(shares(codes.shape[0], codes.size), work, codes.size)
    return outcome


@lru_cache(maxsize=8)
def _levels_between(number: int, bins: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    node, part = between(np.linspace(0, 1, number), bins)
    return node.astype(np.uint8), part


def _cells(length: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For every pixel along one side: its cell between tile centres (0 is before the first) and its place in it."""
    place = np.arange(length, dtype=np.float32) * (np.float32(1) / np.float32(size)) - np.float32(0.5)
    below = np.floor(place)
    return below.astype(np.int64) + 1, place - below
