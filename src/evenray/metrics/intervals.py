"""Intervals: the bootstrap over patients, and exact and score intervals of plain shares; `clustered` has those of ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "clopper_pearson",
    "clustered_mean",
    "clustered_share",
    "effective_share",
    "interval_of",
    "multiplicities",
    "percentile_interval",
    "replicates",
    "wilson",
]

CHUNK = 1 << 19  # case weights made at a time: what fits the cache


def multiplicities(clusters_N: NDArray[np.int64], resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """How often each case occurs in each bootstrap resample of the patients: chunks of rows, float32 (r, N).

    `clusters_N` numbers the patients 0 to P - 1; a resample draws P - 1 of them with replacement, with all their cases: then
    the variance of a mean over resamples is that of the mean, where P draws make it too small by (P - 1) / P (Rao & Wu 1988).
    The draws depend on the seed and the number of patients alone, so that two models are compared on the same ones.

    >>> [w] = multiplicities(np.array([0, 0, 1, 2]), resamples=3, seed=0)
    >>> bool((w[:, 0] == w[:, 1]).all() and (w[:, 1:].sum(axis=1) == 2).all())
    True
    """
    P = int(clusters_N.max()) + 1
    drawn_each = max(1, P - 1)
    each_alone = len(clusters_N) == P and bool((clusters_N == np.arange(P)).all())
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // max(P, len(clusters_N)))
    for first in range(0, resamples, rows):
        r = min(rows, resamples - first)
        drawn = rng.integers(0, P, size=(r, drawn_each), dtype=np.uint32).astype(np.int64)
        drawn += np.arange(r)[:, None] * P
        counts = np.bincount(drawn.reshape(-1), minlength=r * P).reshape(r, P).astype(np.float32)
        yield counts if each_alone else counts[:, clusters_N]


def replicates(
    measure: Callable[[NDArray[Any]], Mapping[str, NDArray[np.float64]]],
    clusters_N: NDArray[np.int64],
    resamples: int,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """What `measure` gives for the weights of every resample, float64 (resamples,) by name."""
    found = [measure(W) for W in multiplicities(clusters_N, resamples, seed)]
    return {name: np.concatenate([piece[name] for piece in found]) for name in (found[0] if found else ())}


def percentile_interval(values: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """The central `level` of the replicates, leaving out those in which the figure is undefined (NaN).

    NaN where that is more than half of them: the rest are not what was resampled, but what kept every class.

    >>> percentile_interval(np.append(np.arange(101.0), np.nan), level=0.5)
    (25.0, 75.0)
    """
    defined = values[~np.isnan(values)]
    if len(defined) * 2 < len(values) or len(defined) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval_of(metric: str, value: float, spread: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % interval of a metric from its replicates: percentiles, but for ece and auprc.

    Chance alone raises ece, and resampling raises it again by about as much: reflected about the value (the basic
    bootstrap), that is taken off. Resampling repeats cases, whose ties raise auprc: its interval is the normal one about the value
    on the logit scale, with the deviation of the replicates there (Boyd, Eng & Page 2013).

    >>> interval_of("ece", 0.03, np.linspace(0.03, 0.07, 1001)), interval_of("brier", np.nan, np.zeros(3))
    ((0.0, 0.03), (nan, nan))
    """
    if np.isnan(value):
        return value, value
    low, high = percentile_interval(spread)
    if metric == "auprc" and 0 < value < 1 and low < high:
        deviation = np.nanstd(spread) / (value * (1 - value))
        bounds = scipy.special.expit(scipy.special.logit(value) + deviation * scipy.special.ndtri([0.025, 0.975]))
        return float(bounds[0]), float(bounds[1])
    return (min(value, max(0.0, 2 * value - high)), max(value, 2 * value - low)) if metric == "ece" else (low, high)


def clopper_pearson(hits: int, cases: int, level: float = 0.95) -> tuple[float, float]:
    """The exact binomial interval of a share (Clopper & Pearson 1934).

    >>> [round(bound, 3) for bound in clopper_pearson(3, 3)]
    [0.292, 1.0]
    """
    tail = (1 - level) / 2
    low = float(scipy.special.betaincinv(hits, cases - hits + 1, tail)) if hits else 0.0
    high = float(scipy.special.betaincinv(hits + 1, cases - hits, 1 - tail)) if hits < cases else 1.0
    return low, high


def wilson(hits: ArrayLike, cases: ArrayLike, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The score interval of shares (Wilson 1927): low, high, float64, of the shape of `hits`.

    >>> [bound.round(3).tolist() for bound in wilson([8], [10])]
    [[0.49], [0.943]]
    """
    k, n = np.asarray(hits, dtype=np.float64), np.asarray(cases, dtype=np.float64)
    z = float(scipy.special.ndtri((1 + level) / 2))
    middle = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def clustered_share(came_N: ArrayLike, clusters_N: NDArray[np.int64]) -> tuple[float, float]:
    """Wilson's interval of a share whose cases come in patients: of as many cases as tell as much standing alone.

    What a case counts is the variance of as many patients of one case over that between these (the design effect), at
    most one;
    where all came or none, each patient counts as one.

    >>> came = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    >>> [round(bound, 2) for bound in clustered_share(came, np.arange(8))]
    [0.22, 0.78]
    >>> [round(bound, 2) for bound in clustered_share(came, np.array([0, 0, 1, 1, 2, 2, 3, 3]))]
    [0.14, 0.86]
    """
    hits, effective = effective_share(came_N, clusters_N)
    low, high = wilson(hits, effective)
    return float(low), float(high)


def effective_share(hits_N: ArrayLike, clusters_N: NDArray[np.int64], cases_N: ArrayLike = 1.0) -> tuple[float, float]:
    """How many of how many cases standing alone tell as much as these: see `clustered_share`. A row may be several cases, so many
    of which came."""
    hits, cases = np.broadcast_arrays(np.asarray(hits_N, np.float64), np.asarray(cases_N, np.float64))
    _, place = np.unique(clusters_N, return_inverse=True)
    n, P = float(cases.sum()), int(place.max()) + 1
    share = float(hits.sum()) / n
    if not 0 < share < 1 or P == 1:
        effective = float(P)
    else:
        between = float((np.bincount(place, hits - share * cases) ** 2).sum()) / n**2 * P / (P - 1)
        effective = min(n, share * (1 - share) * n / (n - 1) / between) if between > 0 else n
    return share * effective, effective


def clustered_mean(values_N: ArrayLike, clusters_N: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """A mean whose values come in patients, and its interval: of the patients' own means, Student's t on one degree of freedom less
    than there are patients. Undefined values (NaN) are left out; bounds are NaN below two patients, or where all are alike.

    >>> [round(each, 3) for each in clustered_mean([1.0, 3.0, 4.0], ["a", "a", "b"])]
    [3.0, -9.706, 15.706]
    >>> clustered_mean([0.5, 0.5], ["a", "b"])
    (0.5, nan, nan)
    """
    values = np.asarray(values_N, dtype=np.float64)
    known = ~np.isnan(values)
    if not known.any():
        return float("nan"), float("nan"), float("nan")
    _, place = np.unique(np.asarray(clusters_N)[known], return_inverse=True)
    means = np.bincount(place, values[known]) / np.bincount(place)
    P, middle = len(means), float(means.mean())
    spread = float(means.std(ddof=1)) if P > 1 else 0.0
    if spread <= 1e-12 * max(1.0, abs(middle)):
        return middle, float("nan"), float("nan")
    reach = float(scipy.special.stdtrit(P - 1, (1 + level) / 2)) * spread / P**0.5
    return middle, middle - reach, middle + reach
