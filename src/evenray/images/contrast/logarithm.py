"""Logarithm: spreads the darks, presses the brights."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone, pointwise

__all__ = ["log"]


@monotone
@pointwise
def log(histogram: Histogram, base: Annotated[float, Gt(1)] = 2.0, gain: Annotated[float, Gt(0)] = 1.0) -> Curve:
    """s = gain * log(1 + (base - 1) r) / log(base); the default is scikit-image's adjust_log, larger bases bend more.

    Gonzalez and Woods, 3.2.2.

    >>> log(Histogram.of_values([0, 1], width=1)).values
    array([0., 1.])
    """
    return Curve((gain * np.log1p((base - 1) * histogram.unit_levels) / np.log(base)).clip(0, 1))
