"""Inversion: the negative."""

from __future__ import annotations

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import pointwise

__all__ = ["invert"]


@pointwise
def invert(histogram: Histogram) -> Curve:
    """s = 1 - r. Gonzalez and Woods, Digital Image Processing, 3.2.

    >>> invert(Histogram.of_values([0, 1, 2], width=1)).values
    array([1. , 0.5, 0. ])
    """
    return Curve(1 - histogram.unit_levels)
