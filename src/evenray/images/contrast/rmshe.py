"""Recursive mean-separate histogram equalization."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._even_bins import even_counts
from ._kinds import monotone
from ._segments import equalized_within

__all__ = ["rmshe"]


@monotone
def rmshe(histogram: Histogram, depth: Annotated[int, Interval(ge=0, le=8)] = 2) -> Curve:
    """Cut at the mean, each part again at its own, `depth` times: 2^depth parts, each equalized within itself.

    Depth 0 is plain equalization, 1 is bbhe; the deeper, the nearer to no change. Chen and Ramli, "Contrast enhancement
    using recursive mean-separate histogram equalization", IEEE TCE 49 (2003).

    >>> rmshe(Histogram.of_values([0, 1, 2, 3, 4], width=1), depth=1).values[2]
    np.float64(0.5)
    """
    even = even_counts(histogram)
    return equalized_within(histogram, _means(even, np.linspace(0, 1, len(even)), depth), len(even))


def _means(counts: NDArray[np.float64], place: NDArray[np.float64], depth: int) -> list[float]:
    total = counts.sum()
    if not depth or not total:
        return []
    mean = float(counts @ place / total)
    cut = int(np.searchsorted(place, mean + 1e-9, side="right"))
    below, above = _means(counts[:cut], place[:cut], depth - 1), _means(counts[cut:], place[cut:], depth - 1)
    return [*below, mean, *above]
