"""From the bins of a histogram to a curve on its levels, at any depth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.histogram import Histogram

__all__ = ["BINS", "at", "in_bins", "unit_mean"]

BINS = 256  # where a method weighs single bins it does so on these at any depth, or it would differ between depths


def in_bins(histogram: Histogram) -> NDArray[np.float64]:
    """The counts in 256 even bins, each level in the nearest; float64 (256,), fewer where there are fewer levels."""
    place = histogram.unit_levels
    even = histogram.bins < BINS and np.allclose(np.diff(place, 2), 0)
    bins = histogram.bins if even else BINS
    index = np.rint(place * (bins - 1)).astype(np.int64)
    return np.bincount(index, weights=histogram.counts, minlength=bins).astype(np.float64)


def at(values: NDArray[Any], unit: NDArray[Any]) -> NDArray[Any]:
    """Curves over even bins, (..., bins), at positions 0 to 1, (n,): (..., n), linear between the bins.

    Within 1/30 of a bin of its centre a position counts as the centre: so far does rounding to 12 bits move an 8-bit
    grey, and a steep curve would show it.

    >>> at(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.25, 0.501]))
    array([0. , 0.5, 1. ])
    """
    bins = values.shape[-1]
    place = unit * (bins - 1)
    below = np.clip(place.astype(np.int64), 0, max(bins - 2, 0))
    part = np.clip(((place - below) * 30 - 1) / 28, 0, 1).astype(values.dtype)
    above = np.minimum(below + 1, bins - 1)
    start: NDArray[Any] = values[..., below]
    return np.asarray(start + (values[..., above] - start) * part)


def unit_mean(histogram: Histogram) -> float:
    """The mean grey in the unit range; 0.5 where nothing was counted."""
    return float(histogram.counts @ histogram.unit_levels) / histogram.total if histogram.total else 0.5
