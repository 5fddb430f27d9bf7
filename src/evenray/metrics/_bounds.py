"""The 95 % interval of every metric: of its replicates, or by a formula where a bootstrap is too sure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Predictions

from ._area import FEW, area_interval
from ._meter import WITHIN
from ._predictive import accuracy_interval, predictive_interval
from .calibration import ece_by_chance
from .intervals import clopper_pearson, clustered_share, interval_of

__all__ = ["bounds_of", "sensitivity_bounds"]

Bounds = tuple[float, float]
Ints = NDArray[np.int64]
# Metrics that lie between 0 and 1 by the calls or the ranking.
BOUNDED = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "mcc", "auprc")
FAR = 1.5  # cases that a negative one may stand for at another prevalence before AUPRC has no interval (docs/guides/evaluation.md)
TOUCHES = 1e-7  # weights that are no integers, in 32 bits, leave so much of a 0 or a 1, and of no spread


def bounds_of(
    values: Mapping[str, float],
    spread: Mapping[str, NDArray[np.float64]],
    predictions: Predictions,
    called: Ints,
    *,
    prior: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> dict[str, Bounds]:
    """{metric: (low, high)} for METRICS, from their values and replicates; `prior` is the class prior they are at, if given.

    See `score` for which interval is whose.
    """
    targets, two = predictions.targets, len(predictions.classes) == 2
    positive = predictions.positive_index
    bounds = {name: interval_of(name, value, spread[name]) for name, value in values.items()}
    shares = _shares(predictions, called)
    fewest = min(len(np.unique(predictions.patients[targets == k])) for k in np.unique(targets))
    if fewest == 1:  # of one patient's class a bootstrap sees no spread
        joined = set(BOUNDED) - set(shares) if prior is None else set(values) - set(WITHIN)
        bounds |= dict.fromkeys(joined, (np.nan, np.nan))
    if not np.isnan(values["auroc"]) and (two or prior is None):
        watched = [positive] if two else np.unique(targets).tolist()
        p_NK = predictions.probabilities[:, watched]
        bounds["auroc"] = area_interval(p_NK, targets[:, None] == watched, predictions.patients, predictions.folds)
    if not np.isnan(values["balanced_accuracy"]):
        same = ("balanced_accuracy",) if two else ("balanced_accuracy", "sensitivity")
        bounds |= dict.fromkeys(same, _balanced_interval(predictions, called))
    exact = set(shares) if prior is None else set(shares) & set(WITHIN)  # what the cases tell as they are
    for name in exact:
        hit, patients = shares[name]
        if 0 < len(np.unique(patients)) < FEW:
            bounds[name] = clustered_share(hit, patients)
    ends = _ends(values, fewest, {name: len(np.unique(patients)) for name, (_, patients) in shares.items()})
    bounds |= {name: ends[name] if prior is None or name in exact else (np.nan, np.nan) for name in ends}
    if prior is not None and _farthest(prior, predictions) > FAR:
        bounds["auprc"] = (np.nan, np.nan)
    if two and prior is not None:
        bounds |= _at_prevalence(values, bounds, float(prior[positive]))
    if (prior is None or fewest > 1) and values["ece"] <= ece_by_chance(predictions, seed, prior):
        bounds["ece"] = (0.0, bounds["ece"][1])
    return {name: _told(value, *bounds[name]) for name, value in values.items()}


def _farthest(prior: NDArray[np.float64], predictions: Predictions) -> float:
    """How many cases of the rest, for each of its own, a case that is not of a class stands for at `prior`, at most."""
    shares = np.bincount(predictions.targets, minlength=len(prior)) / predictions.table.height
    watched = [predictions.positive_index] if len(prior) == 2 else np.flatnonzero((shares > 0) & (prior > 0)).tolist()
    ratios = [
        shares[k] / (1 - shares[k]) * (1 - prior[k]) / prior[k] for k in watched if prior[k] > 0 and shares[k] < 1
    ]
    return float(max(ratios, default=np.inf))


def _told(value: float, low: float, high: float) -> Bounds:
    """The bounds, about their value; NaN where that is undefined or where nothing moved it."""
    return (min(low, value), max(high, value)) if high - low > TOUCHES and value == value else (np.nan, np.nan)


def _at_prevalence(values: Mapping[str, float], bounds: Mapping[str, Bounds], prevalence: float) -> dict[str, Bounds]:
    """Of two classes, what sensitivity and specificity say at a prevalence."""
    sensitivity, specificity = ((values[name], *_told(values[name], *bounds[name])) for name in WITHIN)
    if np.isnan([*sensitivity, *specificity]).any() or not 0 < prevalence < 1:
        return dict.fromkeys(("accuracy", "ppv", "npv"), (np.nan, np.nan))
    return {
        "accuracy": accuracy_interval(sensitivity, specificity, prevalence),
        "ppv": predictive_interval(sensitivity, specificity, prevalence),
        "npv": predictive_interval(specificity, sensitivity, 1 - prevalence),
    }


def sensitivity_bounds(value: float, spread: NDArray[np.float64], patients: Ints) -> Bounds:
    """Of a sensitivity, from its replicates; the exact bound over the `patients` of the positive cases where it is 0 or 1."""
    if value in (0.0, 1.0):
        n = len(np.unique(patients))
        return clopper_pearson(n if value else 0, n)
    return _told(value, *interval_of("sensitivity", value, spread))


def _balanced_interval(predictions: Predictions, called: Ints) -> Bounds:
    """Of the mean sensitivity of the classes that occur: the distances to each one's bounds, squared and added."""
    targets, patients = predictions.targets, predictions.patients
    found = []
    for k in np.unique(targets):
        of = targets == k
        found.append((float((called == k)[of].mean()), *clustered_share((called == k)[of], patients[of])))
    value, low, high = np.array(found).T
    middle, K = value.mean(), len(value)
    return (
        float(max(0.0, middle - np.sqrt(((value - low) ** 2).sum()) / K)),
        float(min(1.0, middle + np.sqrt(((high - value) ** 2).sum()) / K)),
    )


def _shares(predictions: Predictions, called: Ints) -> dict[str, tuple[NDArray[np.bool_], Ints]]:
    """{rate: (which of its cases came, their patients)} for the rates that are plain shares of cases."""
    targets, patients = predictions.targets, predictions.patients
    positive, said = (classes == predictions.positive_index for classes in (targets, called))
    hit = called == targets
    within = {"accuracy": np.ones(len(hit), dtype=bool)}
    if len(predictions.classes) == 2:
        within |= {"sensitivity": positive, "specificity": ~positive, "ppv": said, "npv": ~said}
    return {name: (hit[cases], patients[cases]) for name, cases in within.items()}


def _ends(values: Mapping[str, float], fewest: int, trials: Mapping[str, int]) -> dict[str, Bounds]:
    """The exact bounds of the rates that are 0 or 1, where a bootstrap sees no spread; the patients are the trials.

    For figures that join several rates they are the `fewest` of a class, of which the least is known.
    """
    found = {}
    for name in BOUNDED:
        value, n = values[name], trials.get(name, fewest)
        if abs(value - 1) < TOUCHES or (abs(value) < TOUCHES and name != "mcc"):
            hits = n if value > TOUCHES else 0
            found[name] = clopper_pearson(hits, n)
    return found
