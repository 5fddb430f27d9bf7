"""Histogram equalization."""

from __future__ import annotations

import numpy as np

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone

__all__ = ["equalize"]


@monotone
def equalize(histogram: Histogram, stretch: bool = True) -> Curve:
    """s = C(r), the cumulative share of pixels: spreads the histogram over all grey levels.

    With `stretch` the darkest level that occurs becomes black, s = (C(r) - C(r0)) / (1 - C(r0)), as OpenCV's
    equalizeHist, bit for bit at 8 bits. Without it plain C(r), as scikit-image's equalize_hist. A constant image stays
    as it is. Gonzalez and Woods, Digital Image Processing, 3.3.1.

    >>> equalize(Histogram.of_values([0, 1, 1, 2, 2], width=1)).values
    array([0. , 0.5, 1. ])
    """
    ranks = histogram.counts.cumsum()
    darkest = ranks.searchsorted(1) if histogram.total else 0  # of the levels that occur
    first = int(ranks[darkest])
    if first == histogram.total:
        return Curve(histogram.unit_levels.copy())
    if not stretch:
        return Curve(histogram.cumulative.copy())
    ranks -= first
    ranks[:darkest] = 0
    # In float32 and in this order, because OpenCV's rounding of ties depends on it.
    top = histogram.bins - 1 if histogram.resolution == 1 else 65_535
    scale = np.float32(top) / np.float32(histogram.total - first)
    values = (ranks.astype(np.float32) * scale).astype(np.float64)
    values /= top
    return Curve(values)
