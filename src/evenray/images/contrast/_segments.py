"""Equalization of the parts of a histogram, each within its own part of the range."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

__all__ = ["equalized_within"]


def equalized_within(histogram: Histogram, splits: Sequence[float], bins: int) -> Curve:
    """Cut at `splits` (unit range): levels in (low, high] become low + (high - low) C(r), C counted within the part.

    A level belongs below a cut where the nearest of `bins` even bins does, so that its place is the same at every depth.

    >>> equalized_within(Histogram.of_values([0, 1, 2, 3, 4], width=1), [0.5], bins=5).values.round(3)
    array([0.167, 0.333, 0.5  , 0.75 , 1.   ])
    """
    bounds = [0.0, *sorted(splits), 1.0]
    place = histogram.unit_levels
    values = place.copy()
    # Rounding may have put a mean a hair below the level that it is.
    borders = [(math.floor(split * (bins - 1) + 1e-6) + 0.5) / (bins - 1) for split in bounds[1:-1]]
    edges = np.searchsorted(place, borders, side="right")
    for low, high, start, stop in zip(bounds, bounds[1:], [0, *edges], [*edges, len(place)], strict=False):
        ranks = np.cumsum(histogram.counts[start:stop])
        if len(ranks) and ranks[-1]:
            values[start:stop] = low + (high - low) * (ranks / ranks[-1])
    return Curve(values)
