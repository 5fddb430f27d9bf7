"""Scores of a part: every metric with its interval over patients, and beside it the always-majority baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Estimate, Predictions, Scores

from ._meter import METRICS, Meter, class_prior, decide
from .intervals import clopper_pearson, percentile_interval, replicates

__all__ = ["bootstrap", "confusion", "score"]

Prior = float | Sequence[float] | NDArray[Any]


def score(
    predictions: Predictions,
    threshold: float | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    prior: Prior | None = None,
    prevalence: Prior | None = None,
) -> Scores:
    """Every metric with its 95 % percentile interval from a bootstrap over patients, and its baseline.

    With two classes a case is called positive where its probability reaches `threshold` (None: 0.5); with more, the
    class of the largest probability is called and the rates are means over the classes (macro, one against the rest).
    auroc and auprc (average precision) use no threshold; brier, log_loss and ece (15 bins) score the probabilities.

    The baseline forecasts the class prior of the training part (`prior`: counts, shares or the prevalence of the
    positive class; by default the shares in `predictions`) for everybody, and so always calls the majority. Its
    accuracy is the majority's share, its sensitivity 0 (1 if the majority is positive), its ppv NaN, for it calls
    nobody; f1 and mcc are 0, auroc is 0.5, auprc the prevalence, brier and log_loss those of the constant forecast, ece
    the distance of that forecast from the prevalence.

    `prevalence` (a share of the positive class, or one for each class) scores at that prevalence in place of that of
    the cases, which are weighted to it: so ppv and npv are those to expect there.

    A metric that a class without cases leaves undefined is NaN; resamples without a class are left out of its
    interval. A share of 0 or 1 gets the exact binomial bound over its patients, where a bootstrap sees no spread.
    Chance alone raises ece, and resampling raises it again by about as much, so its interval is reflected about the
    value (the basic bootstrap), which takes that off.
    """
    at = None if prevalence is None else class_prior(prevalence, predictions)
    meter = Meter.of(predictions, threshold, at)
    one = np.ones((1, predictions.table.height))
    values = {name: float(value[0]) for name, value in meter(one).items()}
    spread = replicates(meter, predictions.patients, resamples, seed)
    baseline = _always_majority(predictions, class_prior(prior, predictions), at)(one)
    estimates = {}
    for name in METRICS:
        low, high = _interval(name, values[name], spread[name]) if resamples else (np.nan, np.nan)
        estimates[name] = Estimate(values[name], low, high, float(baseline[name][0]))
    if len(predictions.classes) == 2 and resamples:
        estimates |= _exact_ends(estimates, predictions, decide(predictions, threshold))
    return Scores(
        estimates=estimates,
        threshold=threshold,
        confusion=confusion(predictions, threshold),
        classes=predictions.classes,
        positive=predictions.positive,
        cases=predictions.table.height,
        patients=int(predictions.patients.max()) + 1,
    )


def _interval(name: str, value: float, spread: NDArray[np.float64]) -> tuple[float, float]:
    if np.isnan(value):
        return value, value
    low, high = percentile_interval(spread)
    if name == "ece":
        return min(value, max(0.0, 2 * value - high)), max(value, 2 * value - low)
    return low, high


def bootstrap(
    predictions: Predictions,
    threshold: float | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    prevalence: Prior | None = None,
) -> dict[str, NDArray[np.float64]]:
    """The replicates behind the intervals of `score`: {metric: float64 (resamples,)}, NaN where undefined.

    Two sets of predictions of the same cases in the same order, at the same seed, are resampled alike, so differences
    of their replicates are paired.
    """
    at = None if prevalence is None else class_prior(prevalence, predictions)
    return replicates(Meter.of(predictions, threshold, at), predictions.patients, resamples, seed)


def confusion(predictions: Predictions, threshold: float | None = None) -> NDArray[np.int64]:
    """Counts of cases, int64 (K, K): true classes in the rows, called ones in the columns."""
    K = len(predictions.classes)
    cells = predictions.targets * K + decide(predictions, threshold)
    return np.bincount(cells, minlength=K * K).reshape(K, K).astype(np.int64)


def _always_majority(predictions: Predictions, prior: NDArray[np.float64], at: NDArray[np.float64] | None) -> Meter:
    N = predictions.table.height
    called = np.full(N, prior.argmax(), dtype=np.int64)
    return Meter(np.tile(prior, (N, 1)), predictions.targets, called, predictions.positive_index, at)


def _exact_ends(
    estimates: dict[str, Estimate], predictions: Predictions, called: NDArray[np.int64]
) -> dict[str, Estimate]:
    sick, said = predictions.targets == predictions.positive_index, called == predictions.positive_index
    within = {
        "accuracy": np.ones(len(sick), dtype=bool),
        "sensitivity": sick,
        "specificity": ~sick,
        "ppv": said,
        "npv": ~said,
    }
    changed = {}
    for name, cases in within.items():
        old = estimates[name]
        if old.value in (0.0, 1.0):
            patients = len(np.unique(predictions.patients[cases]))
            low, high = clopper_pearson(patients if old.value else 0, patients)
            changed[name] = Estimate(old.value, low, high, old.baseline)
    return changed
