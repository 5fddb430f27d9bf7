"""Linear stretch."""

from __future__ import annotations

import numpy as np

from evenray.core.errors import UsageError
from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone

__all__ = ["between", "linear"]


@monotone
def linear(histogram: Histogram, low: float | None = None, high: float | None = None) -> Curve:
    """s = (r - low) / (high - low), cut off at 0 and 1; the image's own extremes unless told (min-max stretch).

    `low` and `high` are in the units of the pixels. As scikit-image's rescale_intensity(in_range="image").

    >>> linear(Histogram.of_values([1, 2, 3], width=1, start=0, bins=5)).values
    array([0. , 0. , 0.5, 1. , 1. ])
    """
    found = np.flatnonzero(histogram.counts)
    if not len(found):
        return Curve(histogram.unit_levels.copy())
    darkest = float(histogram.centres[found[0]]) if low is None else low
    brightest = float(histogram.centres[found[-1]]) if high is None else high
    if low is not None and high is not None and not low < high:
        raise UsageError(f"linear({low}, {high}): expected low < high; swap them, or put invert after it.")
    return between(histogram, darkest, brightest)


def between(histogram: Histogram, low: float, high: float) -> Curve:
    """The straight line from black at `low` to white at `high`; no change where they are not apart."""
    if not low < high:
        return Curve(histogram.unit_levels.copy())
    return Curve(np.clip((histogram.centres - low) / (high - low), 0, 1))
