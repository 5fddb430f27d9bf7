"""Exponential: presses the darks, spreads the brights; the inverse of the logarithm."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone, pointwise

__all__ = ["exp"]


@monotone
@pointwise
def exp(histogram: Histogram, base: Annotated[float, Gt(1)] = 2.0, gain: Annotated[float, Gt(0)] = 1.0) -> Curve:
    """s = gain * (base^r - 1) / (base - 1); the default is scikit-image's adjust_log(inv=True).

    >>> exp(Histogram.of_values([0, 1], width=1)).values
    array([0., 1.])
    """
    return Curve((gain * (base**histogram.unit_levels - 1) / (base - 1)).clip(0, 1))
