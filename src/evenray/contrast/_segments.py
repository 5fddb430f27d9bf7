"""Equalization of the parts of a histogram, each within its own part of the range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenray.core.types import Curve
from evenray.histogram import Histogram

__all__ = ["TIE", "equalized_within"]

TIE = 1e-9  # a level at the cut belongs below it, also where rounding put the mean a hair lower


def equalized_within(histogram: Histogram, splits: Sequence[float], reach: float = TIE) -> Curve:
    """Cut at `splits` (unit range): levels in (low, high] become low + (high - low) C(r), C counted within the part.

    Levels up to `reach` above a cut still belong below it.

    >>> equalized_within(Histogram.of_values([0, 1, 2, 3, 4], width=1), [0.5]).values.round(3)
    array([0.167, 0.333, 0.5  , 0.75 , 1.   ])
    """
    bounds = [0.0, *sorted(splits), 1.0]
    place = histogram.unit_levels
    values = place.copy()
    edges = np.searchsorted(place, np.array(bounds[1:-1]) + reach, side="right")
    for low, high, start, stop in zip(bounds, bounds[1:], [0, *edges], [*edges, len(place)], strict=False):
        ranks = np.cumsum(histogram.counts[start:stop])
        if len(ranks) and ranks[-1]:
            values[start:stop] = low + (high - low) * (ranks / ranks[-1])
    return Curve(values)
