"""From the bins of a histogram to a curve on its levels, at any depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.images.histogram import Histogram

__all__ = ["BINS", "bin_below", "curve_at", "even_counts", "unit_mean"]

BINS = 256  # where a method weighs single bins it does so on these at any depth, or it would differ between depths


def even_counts(histogram: Histogram) -> NDArray[np.float64]:
    """The counts in 256 even bins, each level in the nearest; float64 (256,), fewer where there are fewer levels."""
    place = histogram.unit_levels
    few = 1 < histogram.bins < BINS and np.allclose(place, np.linspace(0, 1, histogram.bins))
    bins = histogram.bins if few else BINS
    index = np.rint(place * (bins - 1)).astype(np.int64)
    return np.bincount(index, weights=histogram.counts, minlength=bins).astype(np.float64)


def curve_at(values: NDArray[np.float64], unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """A curve over even bins, (bins,), at positions 0 to 1, (n,), linear between the bins.

    >>> curve_at(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.25, 0.501]))
    array([0. , 0.5, 1. ])
    """
    node, part = bin_below(unit, len(values))
    above = np.minimum(node + 1, len(values) - 1)
    return np.asarray(values[node] + (values[above] - values[node]) * part)


def bin_below(unit: NDArray[np.float64], bins: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For positions 0 to 1 the bin below and how far it is to the next one, 0 to 1.

    Within 1/30 of a bin of its centre a position counts as the centre: so far does rounding to 12 bits move an 8-bit
    grey, and a steep curve would show it.
    """
    place = unit * (bins - 1)
    node = np.clip(place.astype(np.int64), 0, max(bins - 2, 0))
    return node, np.clip(((place - node) * 30 - 1) / 28, 0, 1).astype(np.float32)


def unit_mean(histogram: Histogram) -> float:
    """The mean grey in the unit range; 0.5 where nothing was counted."""
    return float(histogram.counts @ histogram.unit_levels) / histogram.total if histogram.total else 0.5
