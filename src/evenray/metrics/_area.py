"""The error of an AUROC: DeLong's components, added up by patient, and the interval on the logit scale."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from evenray.core.errors import DataError

__all__ = ["area_interval", "components", "fewest_patients"]

Floats = NDArray[np.float64]


def fewest_patients(kinds: Iterable[NDArray[np.bool_]], patients: NDArray[np.int64]) -> int:
    """How many patients the smallest class has; `kinds` tells for each which cases are its own.

    >>> fewest_patients([np.array([True, True, False]), np.array([False, False, True])], np.array([0, 0, 1]))
    1
    """
    return min(len(np.unique(patients[kind])) for kind in kinds)


def components(scores: Floats, sick: NDArray[np.bool_], patients: NDArray[np.int64]) -> tuple[float, Floats]:
    """AUROC, and each patient's share in its error (P,): their squares sum to the variance (DeLong 1988; Obuchowski 1997).

    NaN shares where a class has a single patient; DataError where it has none.
    """
    m, n = int(sick.sum()), int((~sick).sum())
    if not m or not n:
        raise DataError("AUROC needs cases of both kinds; the part has only one.")
    ranks = _midranks(scores)
    placement = np.empty(len(scores))
    placement[sick] = (ranks[sick] - _midranks(scores[sick])) / n
    placement[~sick] = 1 - (ranks[~sick] - _midranks(scores[~sick])) / m
    area = float(placement[sick].mean())
    influence = np.zeros(int(patients.max()) + 1)
    for kind, count in ((sick, m), (~sick, n)):
        clusters = len(np.unique(patients[kind]))
        small_sample = np.sqrt(clusters / (clusters - 1)) if clusters > 1 else np.nan
        influence += small_sample * np.bincount(patients[kind], (placement[kind] - area) / count, len(influence))
    return area, influence


def _midranks(scores: Floats) -> Floats:
    """Ranks from 1 on, ties sharing the mean of theirs."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def area_interval(area: float, influence: Floats, fewest: int) -> tuple[float, float]:
    """The 95 % interval on the logit scale, so within 0 and 1; NaN where the ranking is perfect or the error unknown.

    The error is reckoned from the patients of either class; Student's distribution for the `fewest` of them minds that
    few tell it badly. Where all scores are alike the area is one half whatever the patients.

    >>> [round(bound, 3) for bound in area_interval(0.9, np.array([0.04, -0.04]), fewest=30)]
    [0.713, 0.97]
    """
    deviation = float(np.sqrt((influence**2).sum()))
    if deviation == 0 and area == 0.5:
        return area, area
    if not 0 < area < 1 or not deviation > 0:
        return np.nan, np.nan
    quantile = float(scipy.special.stdtrit(fewest - 1, 0.975))
    middle, half = np.log(area / (1 - area)), quantile * deviation / (area * (1 - area))
    return float(1 / (1 + np.exp(half - middle))), float(1 / (1 + np.exp(-half - middle)))
