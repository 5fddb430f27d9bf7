"""Weighted and thresholded equalization."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._even_bins import curve_at, even_counts
from ._kinds import monotone

__all__ = ["weighted"]


@monotone
def weighted(
    histogram: Histogram,
    power: Annotated[float, Interval(gt=0, le=1)] = 0.5,
    upper: Annotated[float, Interval(gt=0, le=1)] = 0.5,
    lower: Annotated[float, Interval(ge=0, lt=1)] = 0.0001,
) -> Curve:
    """Equalization of weighted shares: p' = P ((p - lower) / (P - lower))^power, P = `upper` times the largest share.

    Shares above P count as P, below `lower` as nothing; so large areas no longer take the whole range. power=1 with
    upper=1 is nearly plain equalization. On 256 bins. Wang and Ward, "Fast image/video contrast enhancement based on
    weighted thresholded histogram equalization", IEEE TCE 53 (2007), equations 3 to 5.

    >>> weighted(Histogram.of_values([0, 0, 0, 1, 2], width=1), power=1).values.round(2)
    array([0.43, 0.71, 1.  ])
    """
    shares = even_counts(histogram) / max(histogram.total, 1)
    top = upper * shares.max()
    if np.count_nonzero(shares) < 2 or top <= lower:
        return Curve(histogram.unit_levels.copy())
    weights = np.where(shares < lower, 0, top * (np.clip((shares - lower) / (top - lower), 0, 1)) ** power)
    return Curve(curve_at(weights.cumsum() / weights.cumsum()[-1], histogram.unit_levels))
