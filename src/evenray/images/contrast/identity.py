"""No change: the reference that every other method is compared with."""

from __future__ import annotations

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone, pointwise

__all__ = ["none"]


@monotone
@pointwise
def none(histogram: Histogram) -> Curve:
    """s = r.

    >>> none(Histogram.of_values([0, 1, 2], width=1)).values
    array([0. , 0.5, 1. ])
    """
    return Curve(histogram.unit_levels.copy())
