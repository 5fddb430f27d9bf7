"""Minimum mean brightness error bi-histogram equalization."""

from __future__ import annotations

import numpy as np

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._even_bins import even_counts
from ._kinds import monotone
from ._segments import equalized_within

__all__ = ["mmbebhe"]


@monotone
def mmbebhe(histogram: Histogram) -> Curve:
    """Bi-histogram equalization cut where the mean brightness changes least. Chen and Ramli, "Minimum mean brightness
    error bi-histogram equalization in contrast enhancement", IEEE TCE 49 (2003).

    Every level that occurs, of 256, is tried as the cut; the mean that it would give follows from cumulative sums.

    >>> mmbebhe(Histogram.of_values([0, 1, 1, 2, 3, 4], width=1)).values.round(2)
    array([0.08, 0.25, 0.5 , 0.75, 1.  ])
    """
    even = even_counts(histogram)
    found = np.flatnonzero(even)
    if len(found) < 2:
        return Curve(histogram.unit_levels.copy())
    counts, place = even[found], found / (len(even) - 1)
    ranks = np.cumsum(counts)
    weighted = np.cumsum(counts * ranks)
    total, below = ranks[-1], ranks[:-1]
    cut, above = place[:-1], total - ranks[:-1]
    darks = cut * weighted[:-1] / below
    brights = cut * above + (1 - cut) * (weighted[-1] - weighted[:-1] - below * above) / above
    error = np.abs((darks + brights - counts @ place) / total)
    return equalized_within(histogram, [float(cut[error.argmin()])], len(even))
