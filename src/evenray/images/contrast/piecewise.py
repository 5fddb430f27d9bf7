"""Piecewise linear stretch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from evenray.core.errors import UsageError
from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import pointwise

__all__ = ["piecewise"]


@pointwise
def piecewise(histogram: Histogram, points: list[tuple[float, float]] | None = None) -> Curve:
    """Straight lines through `points` (level in, level out), both 0 (black) to 1 (white); ends at (0, 0) and (1, 1).

    By default (3/8, 1/8) and (5/8, 7/8), which stretches the middle. Gonzalez and Woods, 3.2.4. UsageError where the
    points do not go from left to right or leave the range.

    >>> piecewise(Histogram.of_values([0, 1, 2], width=1), [(0.5, 0.8)]).values
    array([0. , 0.8, 1. ])
    """
    given = [(0.375, 0.125), (0.625, 0.875)] if points is None else list(points)
    starts, ends = [p[0] for p in given], [p[1] for p in given]
    if any(b <= a for a, b in pairwise(starts)) or not all(0 <= v <= 1 for v in starts + ends):
        raise UsageError(
            f"piecewise has the points {given}; expected (in, out) from left to right, each between 0 and 1, "
            "for instance piecewise([(0.3, 0.1), (0.7, 0.9)])."
        )
    if not starts or starts[0] > 0:
        starts, ends = [0.0, *starts], [0.0, *ends]
    if starts[-1] < 1:
        starts, ends = [*starts, 1.0], [*ends, 1.0]
    return Curve(np.interp(histogram.unit_levels, starts, ends))
