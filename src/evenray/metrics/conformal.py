"""Conformal prediction sets of each class (Mondrian): which classes a case may have, with a promise for every class.

The nonconformity of a case is one less the probability of its own class (LAC: Sadinle, Lei & Wasserman, JASA 2019). Each class
has a threshold of its own (Vovk, Machine Learning 2013), so that the promise holds class by class, and at any prevalence.
Patients count, not images: each has the weight of one, divided over the patient's images of the class (Lee, Barber &
Willett 2023, hierarchical conformal prediction), so the promise is about an image of a new patient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from evenray.core.types import Predictions

from .intervals import wilson

__all__ = [
    "Covered",
    "covered",
    "expected_coverage",
    "held_out_sets",
    "least_probabilities",
    "patients_needed",
    "prediction_sets",
]

Floats = NDArray[np.float64]
Sets = NDArray[np.bool_]
ROUNDING = 1e-9


def patients_needed(coverage: float) -> int:
    """How many patients of a class it takes to promise a coverage: the least n of which (n + 1) coverage <= n.

    >>> patients_needed(0.9), patients_needed(0.95), patients_needed(0.8)
    (9, 19, 4)
    """
    return math.ceil(coverage / (1 - coverage) - ROUNDING)


def least_probabilities(calibration: Predictions, coverage: float) -> tuple[float | None, ...]:
    """From which probability on each class belongs to a set, float (K,): the set holds the true class of a new patient's image
    with a chance of `coverage` or more, whatever class that is, where the patients are alike.

    None for a class with fewer than `patients_needed` patients.
    """
    found = list[float | None]()
    for k in range(len(calibration.classes)):
        own = calibration.targets == k
        found.append(_least(calibration.probabilities[own, k], calibration.patients[own], coverage))
    return tuple(found)


def _least(p: Floats, patients: NDArray[np.int64], coverage: float) -> float | None:
    """The weighted quantile of n + 1 patients, the one to come counting as if its probability were below all."""
    order = np.argsort(-p, kind="stable")
    reached = np.cumsum(_weights(patients)[order])
    wanted = coverage * (len(np.unique(patients)) + 1) - ROUNDING
    place = int(np.searchsorted(reached, wanted))
    return float(p[order[place]]) if place < len(p) else None


def _weights(patients: NDArray[np.int64]) -> Floats:
    """One a patient, divided over the patient's images."""
    _, place, images = np.unique(patients, return_inverse=True, return_counts=True)
    return np.asarray(1 / images[place])


def prediction_sets(p_NK: Floats, least: Sequence[float], *, ordered: bool = False) -> Sets:
    """Which classes the set of each case holds, bool (N, K); of `ordered` classes those between its ends too, which can only
    raise the coverage.

    >>> prediction_sets(np.array([[0.7, 0.2, 0.1], [0.4, 0.1, 0.5]]), (0.3, 0.3, 0.3), ordered=True).astype(int)
    array([[1, 0, 0], [1, 1, 1]])
    """
    sets: Sets = p_NK >= np.asarray(least)
    if ordered:
        forwards = np.logical_or.accumulate(sets, axis=1)
        backwards = np.logical_or.accumulate(sets[:, ::-1], axis=1)[:, ::-1]
        sets = forwards & backwards
    return sets


def held_out_sets(predictions: Predictions, coverage: float, *, ordered: bool = False) -> Sets | None:
    """Of a cross-validation the set of every case, bool (N, K), by the thresholds of the other folds of its repeat
    (cross-conformal prediction: Vovk 2015); None where a fold's others have too few patients of a class."""
    table = predictions.table
    repeat = table["repeat"].to_numpy() if "repeat" in table.columns else np.zeros(table.height, np.int64)
    assert predictions.folds is not None
    sets = np.zeros(predictions.probabilities.shape, dtype=bool)
    for r in np.unique(repeat):
        for fold in np.unique(predictions.folds[repeat == r]):
            held = (repeat == r) & (predictions.folds == fold)
            others = Predictions(table.filter((repeat == r) & ~held), predictions.classes, predictions.positive)
            least = least_probabilities(others, coverage)
            if (known := [each for each in least if each is not None]) and len(known) == len(least):
                sets[held] = prediction_sets(predictions.probabilities[held], known, ordered=ordered)
            else:
                return None
    return sets


@dataclass(frozen=True)
class Covered:
    """How often sets held the class of those who have it: the mean over `patients` of the share of each one's images, and its
    95 % interval (Wilson's, of so many patients)."""

    patients: int
    value: float
    low: float
    high: float


def covered(sets: Sets, targets: NDArray[np.int64], patients: NDArray[np.int64], k: int) -> Covered:
    """The coverage of class `k`; NaN where no case has it.

    >>> sets = np.array([[True, False], [True, False], [False, True]])
    >>> covered(sets, np.array([0, 0, 0]), np.array([0, 0, 1]), 0).value
    0.5
    """
    own = targets == k
    if not own.any():
        return Covered(0, np.nan, np.nan, np.nan)
    weight = _weights(patients[own])
    n, hits = len(np.unique(patients[own])), float(weight @ sets[own, k])
    low, high = wilson(hits, n)
    return Covered(n, hits / n, float(low), float(high))


def expected_coverage(coverage: float, calibration: int, test: int) -> tuple[float, float]:
    """Between which shares 95 % of the measured coverages lie where the promise holds, on so many patients of one class.

    The coverage that a calibration part leads to varies itself: it is beta distributed (Vovk 2012), and what is then measured on
    a test part beta-binomially.

    >>> [round(bound, 2) for bound in expected_coverage(0.9, 50, 100)]
    [0.79, 0.98]
    """
    rank = math.ceil(coverage * (calibration + 1) - ROUNDING)
    low, high = scipy.stats.betabinom(test, rank, calibration + 1 - rank).ppf([0.025, 0.975])
    return float(low) / test, float(high) / test
