"""Percentile stretch."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from evenray.core.errors import UsageError
from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone
from .linear import between

__all__ = ["percentile"]


@monotone
def percentile(
    histogram: Histogram,
    low: Annotated[float, Interval(ge=0, le=100)] = 1.0,
    high: Annotated[float, Interval(ge=0, le=100)] = 99.0,
) -> Curve:
    """Linear from black at the `low` percentile to white at the `high` one: few outliers no longer set the range.

    As scikit-image's rescale_intensity(in_range=numpy.percentile(image, (low, high))). ImageJ's "Enhance Contrast"
    is percentile(0.175, 99.825).

    >>> percentile(Histogram.of_values([0, 1, 2, 3, 4], width=1), 25, 75).values
    array([0. , 0. , 0.5, 1. , 1. ])
    """
    if not low < high:
        raise UsageError(f"percentile({low}, {high}): expected low < high, for instance percentile(1, 99).")
    if not histogram.total:
        return Curve(histogram.unit_levels.copy())
    return between(histogram, histogram.percentile(low), histogram.percentile(high))
