"""The mean of a figure over classes, from what was measured of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .clustered import freedom_of_mean, joined
from .scoring import Measure

__all__ = ["mean_measure"]


def mean_measure(each: Sequence[Measure]) -> Measure:
    """The mean over the classes that have the figure, all of the same resamples.

    Its interval joins theirs, and is unknown where that of one is. A resample in which one of them is undefined leaves their mean
    undefined too: that over the others is another figure.
    """
    known = [one for one in each if one.value == one.value]
    if len(known) < 2:
        return known[0] if known else each[0]
    values, bounds = np.array([one.value for one in known]), np.array([(one.low, one.high) for one in known])
    spread = np.array([one.replicates for one in known])
    low, high = joined(values, bounds, spread) if spread.shape[1] else (np.nan, np.nan)
    freedom = freedom_of_mean(list(spread), [one.freedom for one in known]) if spread.shape[1] else 0.0
    return Measure(float(values.mean()), low, high, spread.mean(axis=0), freedom)
