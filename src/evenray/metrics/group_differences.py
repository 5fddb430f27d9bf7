"""Differences between groups of patients (sites, sexes, age bands, devices): with intervals, tests, and what could have been seen.

The interval of a difference joins those of the two figures (MOVER: Zou & Donner, Stat Med 2008), each for few patients as well as
for many, and takes account of patients who have cases in both. Its p-value is where the interval at 1 - p begins to leave
out 0. A bootstrap of the difference would be too sure with the few patients of small groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Predictions

from ._area import Area, Z
from ._meter import decide
from .folds import rows_within
from .groups import UNKNOWN_GROUP, members
from .intervals import effective_share, wilson

__all__ = ["GroupDifference", "detectable", "group_differences"]

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
FEWEST = 2  # patients of a class, in a group and in those that it is compared with
FARTHEST = 6.0  # errors, beyond which p is told as what it is there, 2e-9
HALVINGS = 24  # of the errors, until p is known to six digits
NORMAL = NormalDist()
POWER = NORMAL.inv_cdf(0.8)


@dataclass(frozen=True)
class GroupDifference:
    """How far a `metric` of a `group` of so many `patients` lies above that of `against`, "" for all other groups together:
    the two figures, their difference with its 95 % interval, and the two-sided p, not corrected for others."""

    column: str
    group: str
    against: str
    metric: str
    patients: int
    value: float
    other: float
    difference: float
    low: float
    high: float
    p: float

    @property
    def error(self) -> float:
        return (self.high - self.low) / (2 * Z)


@dataclass(frozen=True)
class _Figure:
    """A figure, its interval `z` errors to either side, and each patient's share in its error (P,)."""

    value: float
    interval: Callable[[float], tuple[float, float]]
    influence: Floats


def group_differences(
    predictions: Predictions, columns: Sequence[str], threshold: float | None = None
) -> list[GroupDifference]:
    """Each group of the columns against all others together; of two groups the first against the second.

    Of two classes auroc, sensitivity and specificity at `threshold` (as in `decide`), of more auroc and balanced_accuracy.
    Cases of an unknown group are left out, and so is a figure of which a group or the others have fewer than two patients of
    a class.
    """
    called = decide(predictions, threshold)
    found = list[GroupDifference]()
    for column in columns:
        groups = {name: rows for name, rows in members(predictions, column).items() if name != UNKNOWN_GROUP}
        if len(groups) < 2:
            continue
        known = np.logical_or.reduce(list(groups.values()))
        names = list(groups)
        for name in names if len(names) > 2 else names[:1]:
            against = "" if len(names) > 2 else names[1]
            rows, others = groups[name], known & ~groups[name]
            patients = len(np.unique(predictions.patients[rows]))
            for metric, (own, other) in _figures(predictions, called, rows, others):
                value = own.value - other.value
                low, high = _joined(own, other, Z)
                p = _p(own, other)
                found.append(
                    GroupDifference(
                        column, name, against, metric, patients, own.value, other.value, value, low, high, p
                    )
                )
    return found


def detectable(error: float, comparisons: int) -> float:
    """The smallest difference that four in five such comparisons would have shown, at 5 % divided over all `comparisons`.

    >>> round(detectable(0.05, 1), 3), round(detectable(0.05, 10), 3)
    (0.14, 0.182)
    """
    return (NORMAL.inv_cdf(1 - 0.025 / comparisons) + POWER) * error


def _figures(
    predictions: Predictions, called: NDArray[np.int64], rows: Rows, others: Rows
) -> Iterator[tuple[str, tuple[_Figure, _Figure]]]:
    """The figures of the group and of the others that both have enough patients for."""
    targets, patients = predictions.targets, predictions.patients
    K, positive = len(predictions.classes), predictions.positive_index
    present = [k for k in range(K) if (targets == k).any()]
    enough = {
        k: all(len(np.unique(patients[part & (targets == k)])) >= FEWEST for part in (rows, others)) for k in present
    }
    if len(present) > 1 and all(enough.values()):
        watched = [positive] if K == 2 else present
        yield "auroc", _areas(predictions, rows, others, watched)
        if K > 2:
            yield "balanced_accuracy", tuple(_balanced(predictions, called, part, present) for part in (rows, others))  # type: ignore[misc]
    for name, k in (("sensitivity", positive), ("specificity", 1 - positive)) if K == 2 else ():
        if enough.get(k):
            own = tuple(_share(called == targets, patients, part & (targets == k)) for part in (rows, others))
            yield name, own  # type: ignore[misc]


def _areas(predictions: Predictions, rows: Rows, others: Rows, watched: list[int]) -> tuple[_Figure, _Figure]:
    """Ranked within folds where these are large enough in both: over all folds an area is smaller, and of one alone that would be a
    difference."""
    folds, targets, patients = predictions.folds, predictions.targets, predictions.patients
    if any(
        rows_within(None if folds is None else folds[part], targets[part] == k, patients[part]) is None
        for part in (rows, others)
        for k in watched
    ):
        folds = None
    return _area(predictions, rows, watched, folds), _area(predictions, others, watched, folds)


def _area(predictions: Predictions, rows: Rows, watched: list[int], folds: NDArray[np.int64] | None) -> _Figure:
    truth = predictions.targets[rows][:, None] == watched
    folds = None if folds is None else folds[rows]
    area = Area.of(predictions.probabilities[rows][:, watched], truth, predictions.patients[rows], folds)
    return _Figure(area.value, area.interval, _whole(area.influence, predictions.patients))


def _share(right: Rows, patients: NDArray[np.int64], rows: Rows) -> _Figure:
    """A share of cases."""
    hit, own = right[rows], patients[rows]
    hits, cases = effective_share(hit, own)

    def interval(z: float) -> tuple[float, float]:
        low, high = wilson(hits, cases, 2 * NORMAL.cdf(z) - 1)
        return float(low), float(high)

    influence: Floats = np.bincount(own, (hit - hit.mean()) / len(hit)).astype(np.float64)
    return _Figure(float(hit.mean()), interval, _whole(influence, patients))


def _balanced(predictions: Predictions, called: NDArray[np.int64], rows: Rows, present: list[int]) -> _Figure:
    """The mean sensitivity of the classes."""
    right, targets = called == predictions.targets, predictions.targets
    each = [_share(right, predictions.patients, rows & (targets == k)) for k in present]

    def interval(z: float) -> tuple[float, float]:
        ends = np.array([(one.value, *one.interval(z)) for one in each])
        below, above = (
            float(np.sqrt((gap**2).sum())) / len(each) for gap in (ends[:, 0] - ends[:, 1], ends[:, 2] - ends[:, 0])
        )
        return value - below, value + above

    value = float(np.mean([one.value for one in each]))
    return _Figure(value, interval, np.mean([one.influence for one in each], axis=0))


def _whole(influence: Floats, patients: NDArray[np.int64]) -> Floats:
    """The shares of all patients, those that come after the last one of the group too."""
    return np.pad(influence, (0, int(patients.max()) + 1 - len(influence)))


def _joined(own: _Figure, other: _Figure, z: float) -> tuple[float, float]:
    """The interval of own - other: distances to the bounds, squared and added, less what patients in both have in common."""
    (a, a_low, a_high), (b, b_low, b_high) = ((one.value, *one.interval(z)) for one in (own, other))
    together = float(own.influence @ other.influence)
    norms = float(np.linalg.norm(own.influence) * np.linalg.norm(other.influence))
    r = together / norms if together and np.isfinite(norms) else 0.0  # of unknown shares nothing is in common

    def half(x: float, y: float) -> float:
        return float(np.sqrt(np.maximum(0.0, x**2 + y**2 - 2 * r * x * y)))  # max() would take NaN for 0

    return a - b - half(a - a_low, b_high - b), a - b + half(a_high - a, b - b_low)


def _p(own: _Figure, other: _Figure) -> float:
    """The p at which the interval of the difference ends at 0."""
    inside, outside = 0.0, FARTHEST
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        low, high = _joined(own, other, middle)
        apart = low > 0 or high < 0  # an unknown bound shows nothing
        inside, outside = (middle, outside) if apart else (inside, middle)
    return 2 * (1 - NORMAL.cdf(outside))
