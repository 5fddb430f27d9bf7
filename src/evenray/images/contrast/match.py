"""Histogram specification: the grey levels of one image spread as those of another, or as a named distribution."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge

from evenray.core.types import Curve
from evenray.images.histogram import Histogram

from ._kinds import monotone
from ._reference import DISTRIBUTIONS, distribution, saved

__all__ = ["match", "matched"]

_FINE = 4097  # points of a named distribution


@monotone
def match(
    histogram: Histogram,
    reference: str = "normal",
    mean: Annotated[float, Ge(0.001)] = 0.5,
    sd: Annotated[float, Ge(0.001)] = 0.2,
) -> Curve:
    """s = G^-1(C(r)), where G is the cumulative share of the reference and C that of the image.

    `reference` is a file that holds the histogram of one image or of a whole data set (`evenray histogram DATA -o
    reference.json`), or uniform, normal(mean, sd), exponential(mean) or rayleigh(mean), in the unit range. Gonzalez
    and Woods, 3.3.2.

    >>> match(Histogram.of_values([0, 1, 2, 3], width=1), "uniform").values
    array([0.25, 0.5 , 0.75, 1.  ])
    """
    if reference not in DISTRIBUTIONS:
        return matched(histogram, saved(reference))
    levels = np.linspace(0, 1, _FINE)
    return Curve(np.interp(histogram.cumulative, distribution(reference, levels, mean, sd), levels))


def matched(histogram: Histogram, reference: Histogram) -> Curve:
    """The curve from one histogram to another, as scikit-image's match_histograms; no change to an empty one.

    >>> dark, even = Histogram.of_values([0, 0, 1, 3], bins=4), Histogram.of_values([0, 1, 2, 3], bins=4)
    >>> matched(dark, even).values.round(2)
    array([0.33, 0.67, 0.67, 1.  ])
    """
    found = np.flatnonzero(reference.counts)
    if not len(found):
        return Curve(histogram.unit_levels.copy())
    return Curve(np.interp(histogram.cumulative, reference.cumulative[found], reference.unit_levels[found]))
