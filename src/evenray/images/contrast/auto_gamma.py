"""Gamma chosen from the image."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Interval

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._even_bins import curve_at, even_counts, unit_mean
from ._kinds import monotone
from .gamma import gamma

__all__ = ["agcwd", "auto_gamma"]


@monotone
def auto_gamma(histogram: Histogram, target: Annotated[float, Gt(0)] = 0.5) -> Curve:
    """s = r^g with g = log(target) / log(mean): a grey of the mean level becomes `target` (below 1).

    g is kept between 0.1 and 10. ImageMagick's -auto-gamma does the same with the arithmetic mean and 0.5.

    >>> auto_gamma(Histogram.of_values([0, 1, 2, 3, 4], bins=5)).values[2]
    np.float64(0.5)
    """
    mean = float(np.clip(unit_mean(histogram), 1e-6, 1 - 1e-6))
    return gamma(histogram, float(np.clip(np.log(min(target, 1 - 1e-6)) / np.log(mean), 0.1, 10)))


@monotone
def agcwd(histogram: Histogram, alpha: Annotated[float, Interval(gt=0, le=1)] = 0.5) -> Curve:
    """Adaptive gamma correction with weighting distribution: s = r^(1 - C(r)).

    C is the cumulative share of the histogram after p' = p_max ((p - p_min) / (p_max - p_min))^alpha, on 256 bins.
    It brightens; small `alpha` is gentler on peaks. Huang, Cheng and Chiu, IEEE TIP 22 (2013), equations 9 to 12.

    >>> agcwd(Histogram.of_values([0, 1, 2], width=1)).values[[0, 2]]
    array([0., 1.])
    """
    shares = even_counts(histogram)
    spread = shares.max() - shares.min()
    if not spread:
        return Curve(histogram.unit_levels.copy())
    weights = ((shares - shares.min()) / spread) ** alpha
    place = np.linspace(0, 1, len(shares))
    exponent = 1 - weights.cumsum() / weights.cumsum()[-1]
    return Curve(curve_at(np.where(place > 0, place ** np.maximum(exponent, 0), 0.0), histogram.unit_levels))
