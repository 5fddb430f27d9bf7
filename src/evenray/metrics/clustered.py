"""Intervals of figures of few patients: ratios of sums over cases by formulas, means over classes, and what only a bootstrap tells.

A bootstrap of few patients is too sure: its percentiles know neither that a deviation of so few is itself uncertain (Student's t) nor
that all being alike may be luck.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from ._area import Z
from .intervals import effective_share, percentile_interval, wilson

__all__ = ["FEWEST", "clusters_of", "freedom_of_mean", "joined", "ratio_mean", "ratio_share", "reach", "widened"]

FEWEST = 5  # patients below which a bootstrap tells nothing
ALIKE = 1e-9
Floats = NDArray[np.float64]
Bounds = tuple[float, float]
UNKNOWN: Bounds = (float("nan"), float("nan"))


def reach(freedom: float) -> float:
    """How many deviations the 95 % interval goes to either side where the deviation has so many degrees of freedom.

    >>> round(reach(3), 3), round(reach(np.inf), 3)
    (3.182, 1.96)
    """
    return float(scipy.special.stdtrit(freedom, 0.975))


def clusters_of(below_N: Floats, clusters_N: NDArray[np.int64]) -> int:
    """How many patients a ratio is told by: those who add something to the sum that it is divided by."""
    return len(np.unique(clusters_N[below_N > 0]))


def ratio_mean(top_N: Floats, below_N: Floats, clusters_N: NDArray[np.int64]) -> Bounds:
    """The interval of one sum over cases by another, such as a mean over those that have a class: Student's t on one degree of
    freedom less than there are patients, with the linearised error of a ratio (Cochran 1977, section 6.3).

    NaN below two patients, or where all are alike.

    >>> [round(bound, 3) for bound in ratio_mean(np.array([1.0, 3.0, 4.0]), np.ones(3), np.array([0, 1, 2]))]
    [-1.128, 6.461]
    """
    counts = below_N > 0
    if not counts.any():
        return UNKNOWN
    _, place = np.unique(clusters_N[counts], return_inverse=True)
    total, P = float(below_N[counts].sum()), int(place.max()) + 1
    value = float(top_N[counts].sum()) / total
    gaps = np.bincount(place, top_N[counts] - value * below_N[counts])
    error = float(np.sqrt((gaps**2).sum() * P / (P - 1))) / total if P > 1 else 0.0
    if error <= ALIKE * max(1.0, abs(value)):
        return UNKNOWN
    return value - reach(P - 1) * error, value + reach(P - 1) * error


def ratio_share(hits_N: Floats, cases_N: Floats, clusters_N: NDArray[np.int64]) -> Bounds:
    """The interval of a share of cases that come in patients, several a row: Wilson's, of as many cases as these tell
    (`effective_share`), fewer where few patients had to tell it (Korn & Graubard 1998); NaN where there is no case.

    >>> [round(bound, 3) for bound in ratio_share(np.array([1.0, 1.0, 1.0]), np.ones(3), np.array([0, 1, 2]))]
    [0.439, 1.0]
    """
    counts = cases_N > 0
    if not counts.any():
        return UNKNOWN
    hits, effective = effective_share(hits_N[counts], clusters_N[counts], cases_N[counts])
    P, n = clusters_of(cases_N, clusters_N), float(cases_N.sum())
    if 0 < hits < effective and P > 1:
        fewer = (reach(n - 1) / reach(P - 1)) ** 2
        hits, effective = hits * fewer, effective * fewer
    low, high = wilson(hits, effective)
    return float(low), float(high)


def widened(value: float, spread: Floats, patients: int, *, reflected: bool = False) -> Bounds:
    """The interval of a figure without a formula that so many patients tell: percentiles of its replicates (the basic bootstrap's
    where `reflected`), as much farther from the value as Student's t reaches farther than the normal distribution.

    NaN below FEWEST patients, and where no resample moves it.
    """
    low, high = percentile_interval(spread)
    if patients < FEWEST or np.isnan(value) or not high - low > ALIKE:
        return UNKNOWN
    if reflected:
        low, high = 2 * value - high, 2 * value - low
    farther = reach(patients - 1) / Z
    return min(value, value + (low - value) * farther), max(value, value + (high - value) * farther)


def joined(values_K: Floats, bounds_K2: Floats, spread_KR: Floats) -> Bounds:
    """The interval of a mean of several figures of the same patients from their own: distances to the bounds, squared and added with
    the correlations of the replicates (Zou & Donner 2008). NaN where one of them has no interval.

    Where a resample leaves one undefined, it tells of the others; where nothing moves one, it is taken to err with them.

    >>> low, high = joined(np.array([0.5, 0.7]), np.array([[0.4, 0.6], [0.6, 0.8]]), np.array([[-1.0, 0, 1, 0], [0, 1, 0, -1]]))
    >>> round(low, 3), round(high, 3)
    (0.529, 0.671)
    """
    known = ~np.isnan(spread_KR)
    means = np.where(known, spread_KR, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    gaps = np.where(known, spread_KR - means[:, None], 0.0)
    together, size = gaps @ gaps.T, np.linalg.norm(gaps, axis=1)
    norms = np.outer(size, size)
    alike = np.divide(together, norms, out=np.ones_like(together), where=norms > 0)
    middle, K = float(values_K.mean()), len(values_K)
    down, up = (float(np.sqrt(max(side @ alike @ side, 0.0))) / K if np.isfinite(side).all() else np.nan
                for side in (values_K - bounds_K2[:, 0], bounds_K2[:, 1] - values_K))  # fmt: skip
    return middle - down, middle + up


def freedom_of_mean(spread_KR: Sequence[Floats], freedom_K: Sequence[float]) -> float:
    """The degrees of freedom of the deviation of a mean over classes (Welch & Satterthwaite), from the replicates of each class
    and its own; 0 where one class has none, as its deviation is unknown.

    >>> round(freedom_of_mean([np.array([-1.0, 1.0]), np.array([-1.0, 1.0])], [3, 9]), 2)
    9.0
    """
    if min(freedom_K) <= 0:
        return 0.0
    variances = np.array([np.nanvar(one) if np.isfinite(one).any() else 0.0 for one in spread_KR])
    if not variances.any():
        return float(min(freedom_K))
    return float(variances.sum() ** 2 / (variances**2 / np.array(freedom_K, np.float64)).sum())
