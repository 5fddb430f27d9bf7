"""Figures of two sets that have no patient in common: their difference with its interval."""

from __future__ import annotations

import math

import numpy as np
import scipy  # its parts are imported when they are first used

from evenray.core.types import Estimate

from ._area import Z
from .paired import Difference

__all__ = ["unpaired"]


def unpaired(one: Estimate, other: Estimate) -> Difference:
    """How far `one` lies above `other`, from the 95 % intervals of both alone (Zou & Donner, Stat. Med. 27:1693, 2008).

    The distance from each figure to the end of its interval stands for its error towards that side, so that the skew of
    intervals near 0 and 1 is kept. p is that of the normal distribution with the error towards no difference. NaN where a
    figure has no interval.

    >>> print(unpaired(Estimate(0.80, 0.70, 0.88, 0.5), Estimate(0.92, 0.88, 0.95, 0.5)))
    -0.120 (-0.224 to -0.031; p = 0.009)
    """
    gap = one.value - other.value
    below, above = (
        math.hypot(one.value - one.low, other.high - other.value),
        math.hypot(one.high - one.value, other.value - other.low),
    )
    towards_none = below if gap > 0 else above
    if math.isnan(below) or math.isnan(above):
        return Difference(gap, np.nan, np.nan, np.nan)
    p = 1.0 if gap == 0 else 0.0 if towards_none == 0 else float(2 * scipy.special.ndtr(-Z * abs(gap) / towards_none))
    return Difference(gap, gap - below, gap + above, p)
