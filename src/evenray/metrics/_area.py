"""The error of an AUROC: DeLong's components, added up by patient, and intervals for many patients and for few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from evenray.core.errors import DataError

from .folds import rows_within

__all__ = ["Area", "Z", "area_interval", "components", "delong_interval"]

Floats = NDArray[np.float64]
FEW = 20
TINY = 1e-9
Z = 1.959963984540054  # 97.5 % of the normal distribution lies below


def components(
    scores: Floats, positive: NDArray[np.bool_], patients: NDArray[np.int64], folds: NDArray[np.int64] | None = None
) -> tuple[float, Floats]:
    """AUROC, and each patient's share in its error (P,): their squares sum to the variance (DeLong 1988; Obuchowski 1997).

    Of `folds` that are large enough the mean over them; each holds whole patients. NaN shares where a class has a single
    patient; DataError where it has none.
    """
    if (rows := rows_within(folds, positive, patients)) is not None:
        area, total = 0.0, np.zeros(int(patients.max()) + 1)
        for own in rows:
            part, shares = components(scores[own], positive[own], patients[own])
            weight = float(positive[own].sum() / positive.sum())
            area += weight * part
            total[: len(shares)] += weight * shares
        return area, total
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        raise DataError("AUROC needs cases of both kinds; the part has only one.")
    rank = scipy.stats.rankdata
    ranks, placement = rank(scores), np.empty(len(scores))
    placement[positive] = (ranks[positive] - rank(scores[positive])) / n
    placement[~positive] = 1 - (ranks[~positive] - rank(scores[~positive])) / m
    area = float(placement[positive].mean())
    influence = np.zeros(int(patients.max()) + 1)
    for kind, count in ((positive, m), (~positive, n)):
        clusters = len(np.unique(patients[kind]))
        small_sample = np.sqrt(clusters / (clusters - 1)) if clusters > 1 else np.nan
        influence += small_sample * np.bincount(patients[kind], (placement[kind] - area) / count, len(influence))
    return area, influence


def delong_interval(area: float, influence: Floats, z: float = Z) -> tuple[float, float]:
    """The interval on the logit scale, so within 0 and 1, `z` errors to either side (95 %); NaN where the ranking is perfect or
    the error unknown.

    >>> [round(bound, 3) for bound in delong_interval(0.9, np.array([0.04, -0.04]))]
    [0.724, 0.969]
    """
    deviation = float(np.sqrt((influence**2).sum()))
    if not 0 < area < 1 or not deviation > 0:
        return np.nan, np.nan
    middle, half = np.log(area / (1 - area)), z * deviation / (area * (1 - area))
    return float(1 / (1 + np.exp(half - middle))), float(1 / (1 + np.exp(-half - middle)))


def newcombe_interval(area: float, m: int, n: int, z: float = Z) -> tuple[float, float]:
    """The interval for few patients, m of one class and n of the rest (Newcombe 2006, part 2, method 5).

    It holds the areas from which this one is no further than `z` (1.96) of the errors that Hanley & McNeil (1982) give *them*;
    so a perfect ranking has one too.

    >>> [round(bound, 3) for bound in newcombe_interval(1.0, 3, 40)]
    [0.687, 1.0]
    """
    others = (m + n) / 2 - 1

    def excess(theta: float) -> float:
        error = theta * (1 - theta) * (1 + others * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (m * n)
        return (theta - area) ** 2 - z**2 * error

    at = min(max(area, TINY), 1 - TINY)
    low = scipy.optimize.brentq(excess, TINY, at) if excess(TINY) > 0 > excess(at) else 0.0
    high = scipy.optimize.brentq(excess, at, 1 - TINY) if excess(1 - TINY) > 0 > excess(at) else 1.0
    return float(low), float(high)


@dataclass(frozen=True)
class Area:
    """The AUROC of one class, or its mean over several, and each patient's share in its error (P,); `each` has the AUROC of
    every class with the patients of it and of the rest."""

    value: float
    influence: Floats
    each: tuple[tuple[float, int, int], ...]

    @classmethod
    def of(
        cls, p_NK: Floats, truth_NK: NDArray[np.bool_], patients: NDArray[np.int64],
        folds: NDArray[np.int64] | None = None,
    ) -> Area:  # fmt: skip
        """Of several columns the mean; each needs cases of both kinds."""
        found = [components(p, truth, patients, folds) for p, truth in zip(p_NK.T, truth_NK.T, strict=True)]
        sizes = [[len(np.unique(patients[kind])) for kind in (truth, ~truth)] for truth in truth_NK.T]
        return cls(
            float(np.mean([area for area, _ in found])), np.mean([shares for _, shares in found], axis=0),
            tuple((area, m, n) for (area, _), (m, n) in zip(found, sizes, strict=True)),
        )  # fmt: skip

    def interval(self, z: float = Z) -> tuple[float, float]:
        """`z` errors to either side (95 %): DeLong's where every class has FEW patients or more. Below it is too sure (.86 of the
        time right with two, .90 with eight), and Newcombe's is taken; of several classes the mean of its bounds, as if they
        erred together.
        """
        if min(min(m, n) for _, m, n in self.each) >= FEW:
            bounds = delong_interval(self.value, self.influence, z)
            if not np.isnan(bounds[0]):
                return bounds
        low, high = np.mean([newcombe_interval(area, m, n, z) for area, m, n in self.each], axis=0)
        return float(low), float(high)


def area_interval(
    p_NK: Floats, truth_NK: NDArray[np.bool_], patients: NDArray[np.int64], folds: NDArray[np.int64] | None = None
) -> tuple[float, float]:
    """The 95 % interval of the AUROC of one class, or of its mean over several (columns); each needs cases of both kinds."""
    return Area.of(p_NK, truth_NK, patients, folds).interval()
