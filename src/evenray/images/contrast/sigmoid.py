"""Sigmoid: spreads the middle, presses both ends."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Interval

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone, pointwise

__all__ = ["sigmoid"]


@monotone
@pointwise
def sigmoid(
    histogram: Histogram,
    cutoff: Annotated[float, Interval(ge=0, le=1)] = 0.5,
    gain: Annotated[float, Gt(0)] = 10.0,
) -> Curve:
    """s = 1 / (1 + exp(gain (cutoff - r))); as scikit-image's adjust_sigmoid.

    Braun and Fairchild, "Image lightness rescaling using sigmoidal contrast enhancement functions", JEI 8 (1999).

    >>> sigmoid(Histogram.of_values([0, 1, 2], width=1)).values[1]
    np.float64(0.5)
    """
    return Curve(1 / (1 + np.exp(np.clip(gain * (cutoff - histogram.unit_levels), -700, 700))))
