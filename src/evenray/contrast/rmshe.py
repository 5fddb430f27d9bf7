"""Recursive mean-separate histogram equalization."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from evenray.core.types import Curve
from evenray.histogram import Histogram

from ._kinds import monotone
from ._segments import TIE, equalized_within

__all__ = ["rmshe"]


@monotone
def rmshe(histogram: Histogram, depth: Annotated[int, Interval(ge=0, le=8)] = 2) -> Curve:
    """Cut at the mean, each part again at its own, `depth` times: 2^depth parts, each equalized within itself.

    Depth 0 is plain equalization, 1 is bbhe; the deeper, the nearer to no change. Chen and Ramli, "Contrast enhancement
    using recursive mean-separate histogram equalization", IEEE TCE 49 (2003).

    >>> rmshe(Histogram.of_values([0, 1, 2, 3, 4], width=1), depth=1).values[2]
    np.float64(0.5)
    """
    return equalized_within(histogram, _means(histogram, 0, histogram.bins, depth))


def _means(histogram: Histogram, start: int, stop: int, depth: int) -> list[float]:
    counts, place = histogram.counts[start:stop], histogram.unit_levels[start:stop]
    total = int(counts.sum())
    if not depth or not total:
        return []
    mean = float(counts @ place) / total
    cut = start + int(np.searchsorted(place, mean + TIE, side="right"))
    return [*_means(histogram, start, cut, depth - 1), mean, *_means(histogram, cut, stop, depth - 1)]
