"""Bi-histogram equalization: the darks and the brights apart, so that the mean brightness stays near where it was."""

from __future__ import annotations

import numpy as np

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._even_bins import even_counts
from ._kinds import monotone
from ._segments import equalized_within

__all__ = ["bbhe", "dsihe"]


@monotone
def bbhe(histogram: Histogram) -> Curve:
    """Cut at the mean. Kim, "Contrast enhancement using brightness preserving bi-histogram equalization", IEEE TCE 43
    (1997), equations 7 to 15.

    >>> bbhe(Histogram.of_values([0, 1, 2, 3, 4], width=1)).values[2]
    np.float64(0.5)
    """
    even = even_counts(histogram)
    mean = float(even @ np.linspace(0, 1, len(even))) / histogram.total if histogram.total else 0.5
    return equalized_within(histogram, [mean], len(even))


@monotone
def dsihe(histogram: Histogram) -> Curve:
    """Cut at the median, which makes two halves of equal area. Wang, Chen and Zhang, "Image enhancement based on equal
    area dualistic sub-image histogram equalization method", IEEE TCE 45 (1999).

    >>> dsihe(Histogram.of_values([0, 0, 0, 1, 4], bins=5)).values[0]
    np.float64(0.0)
    """
    even = even_counts(histogram)
    median = int(np.searchsorted(2 * np.cumsum(even), histogram.total))
    return equalized_within(histogram, [min(median / (len(even) - 1), 1.0)], len(even))
