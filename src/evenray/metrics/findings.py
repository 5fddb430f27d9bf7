"""Several findings a case: each figure is the mean over the findings, with its interval over patients.

Every resample of the patients is measured finding by finding, on the cases of which the finding is known, so that what
findings of one patient have in common widens the interval of the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.types import Estimate, Predictions, Scores

from ._area import FEW, components, delong_interval, newcombe_interval
from ._bounds import BOUNDED, TOUCHES
from ._meter import METRICS, Meter, decide
from ._prior import Prior, class_prior
from .intervals import clopper_pearson, interval_of, replicates
from .ranking import Ranking
from .scoring import Measure

__all__ = ["Cuts", "averaged", "macro_components", "measured_findings", "score_findings"]

Floats = NDArray[np.float64]
Cuts = Sequence[float | None]  # a threshold a finding
Priors = Sequence[Prior | None]  # class shares (absent, present) a finding
SENSITIVITY_AT = "sensitivity_at_specificity"


def averaged(predictions: Predictions) -> tuple[str, ...]:
    """The findings that means are over: two patients or more have them, and two or more have them not.

    Where there is none of these, those of which there are cases of both kinds. One patient's finding has figures of its
    own, but no interval, and would leave the mean without one.
    """
    known = [(name, predictions.finding(name)) for name in predictions.classes]
    sizes = {name: _patients_of(two) for name, two in known}
    return tuple(n for n, size in sizes.items() if size > 1) or tuple(n for n, size in sizes.items() if size)


def _patients_of(two: Predictions) -> int:
    """Patients of the smaller class."""
    return min(len(np.unique(two.patients[two.targets == k])) for k in (0, 1)) if two.table.height else 0


@dataclass(frozen=True)
class _One:
    """A finding: the rows of its known cases in the whole, and what measures them."""

    rows: NDArray[np.int64]
    meter: Meter
    baseline: Meter
    ranking: Ranking
    specificity: float

    def __call__(self, W: NDArray[Any]) -> dict[str, Floats]:
        own = W[:, self.rows]
        return self.meter(own) | {SENSITIVITY_AT: self.ranking.sensitivity_at(own, self.specificity)}


def _each(
    predictions: Predictions, names: Sequence[str], cuts: Cuts | None, priors: Priors | None, at: Priors | None,
    specificity: float,
) -> list[_One]:  # fmt: skip
    found, targets = [], predictions.targets
    for name in names:
        k, two = predictions.classes.index(name), predictions.finding(name)
        prevalence = None if at is None or at[k] is None else class_prior(at[k], two)
        constant = class_prior(None if priors is None else priors[k], two)
        N = two.table.height
        called = decide(two, None if cuts is None else cuts[k])
        majority = np.full(N, constant.argmax(), dtype=np.int64)
        found.append(
            _One(
                np.flatnonzero(targets[:, k] >= 0),
                Meter(two.probabilities, two.targets, called, 1, prevalence, two.folds, two.patients),
                Meter(np.tile(constant, (N, 1)), two.targets, majority, 1, prevalence),
                Ranking.of(two.probabilities[:, 1], two.targets == 1), specificity,
            )
        )  # fmt: skip
    return found


def measured_findings(
    predictions: Predictions,
    thresholds: Cuts | None = None,
    *,
    specificity: float = 0.95,
    prevalence: Priors | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Measure]:
    """The means over the findings of every metric of METRICS and of `sensitivity_at_specificity`, with bootstrap replicates.

    A finding is called present where its probability reaches its threshold (None: 0.5). `prevalence` has the class shares
    (absent, present) to score each finding at, None for those of its cases. Intervals are percentiles of the resamples of
    patients, but for auroc, which has DeLong's (or, with fewer than 20 patients of a class, the mean of Newcombe's), and for
    ece; see `score`. DataError where no finding is known to be present in some cases and absent in others.
    """
    names = averaged(predictions)
    each = _each(predictions, names, thresholds, None, prevalence, specificity)
    return _measured(predictions, names, each, seed, resamples)


def _measured(
    predictions: Predictions, names: Sequence[str], each: Sequence[_One], seed: int, resamples: int
) -> dict[str, Measure]:
    if not each:
        raise DataError(
            "No finding is known to be present in some of these cases and absent in others; none can be scored."
        )

    def mean(W: NDArray[Any]) -> dict[str, Floats]:
        found = [one(W) for one in each]
        return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}

    values = {name: float(value[0]) for name, value in mean(np.ones((1, predictions.table.height))).items()}
    spread = replicates(mean, predictions.patients, resamples, seed)
    fewest = min(_patients_of(predictions.finding(name)) for name in names)
    none: Floats = np.empty(0)
    bounds = dict.fromkeys(values, (np.nan, np.nan))
    if resamples:
        bounds = {name: _bounds(name, value, spread[name], fewest) for name, value in values.items()}
        bounds["auroc"] = _area(predictions, names)
    freedom = float(predictions.patients.max())
    return {name: Measure(value, *bounds[name], spread.get(name, none), freedom) for name, value in values.items()}


def _bounds(name: str, value: float, spread: Floats, fewest: int) -> tuple[float, float]:
    if name in (*BOUNDED, SENSITIVITY_AT, "balanced_accuracy") and (
        abs(value - 1) < TOUCHES or (abs(value) < TOUCHES and name != "mcc")
    ):
        return clopper_pearson(fewest if value > TOUCHES else 0, fewest)  # a bootstrap sees no spread there
    low, high = interval_of(name, value, spread)
    if fewest == 1 or not high - low > TOUCHES:
        return np.nan, np.nan
    return min(low, value), max(high, value)


def macro_components(predictions: Predictions, names: Sequence[str]) -> tuple[float, Floats]:
    """The mean AUROC of some findings, and each patient's share in its error (patients,): see `_area.components`."""
    total, areas = np.zeros(int(predictions.patients.max()) + 1), []
    for name in names:
        k, two = predictions.classes.index(name), predictions.finding(name)
        patients = predictions.patients[predictions.targets[:, k] >= 0]
        area, shares = components(two.probabilities[:, 1], two.targets == 1, patients, two.folds)
        areas.append(area)
        total[: len(shares)] += shares / len(names)
    return float(np.mean(areas)), total


def _area(predictions: Predictions, names: Sequence[str]) -> tuple[float, float]:
    two = [predictions.finding(name) for name in names]
    if min(map(_patients_of, two)) >= FEW:
        bounds = delong_interval(*macro_components(predictions, names))
        if not np.isnan(bounds[0]):
            return bounds
    each = []
    for one in two:
        m, n = (len(np.unique(one.patients[one.targets == k])) for k in (1, 0))
        each.append(
            newcombe_interval(components(one.probabilities[:, 1], one.targets == 1, one.patients, one.folds)[0], m, n)
        )
    low, high = np.mean(each, axis=0)
    return float(low), float(high)


def score_findings(
    predictions: Predictions,
    thresholds: Cuts | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    priors: Priors | None = None,
    prevalence: Priors | None = None,
) -> Scores:
    """The means over the findings with their intervals, beside those of the baseline; see `measured_findings`.

    The baseline forecasts for everybody the share of each finding in the training part (`priors`: (absent, present) each;
    by default the shares in `predictions`), and so always calls the likelier answer.
    """
    names = averaged(predictions)
    each = _each(predictions, names, thresholds, priors, prevalence, 0.95)
    found = _measured(predictions, names, each, seed, resamples)
    ones = [one.baseline(np.ones((1, len(one.rows)))) for one in each]
    baseline = {name: float(np.mean([one[name][0] for one in ones])) for name in METRICS}
    return Scores(
        estimates={
            name: Estimate(found[name].value, found[name].low, found[name].high, baseline[name]) for name in METRICS
        },
        threshold=None, confusion=np.zeros((0, 0), dtype=np.int64), classes=predictions.classes,
        positive=predictions.positive, cases=predictions.table.height, patients=int(predictions.patients.max()) + 1,
    )  # fmt: skip
