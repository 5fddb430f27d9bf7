"""Gamma correction."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone, pointwise

__all__ = ["gamma"]


@monotone
@pointwise
def gamma(histogram: Histogram, gamma: Annotated[float, Gt(0)] = 1.0, gain: Annotated[float, Gt(0)] = 1.0) -> Curve:
    """s = gain * r^gamma. Below 1 brightens the darks, above 1 darkens. Gonzalez and Woods, 3.2; as adjust_gamma.

    >>> gamma(Histogram.of_values([0, 1, 2], width=1), gamma=2).values
    array([0.  , 0.25, 1.  ])
    """
    return Curve((gain * histogram.unit_levels**gamma).clip(0, 1))
