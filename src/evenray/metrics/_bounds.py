"""The 95 % interval of every metric: of its replicates, or by a formula where a bootstrap is too sure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Predictions

from ._area import area_interval
from .calibration import ece_by_chance
from .intervals import clopper_pearson, clustered_share, interval_of

__all__ = ["bounds_of", "sensitivity_bounds"]

Bounds = tuple[float, float]
Ints = NDArray[np.int64]
# Metrics that lie between 0 and 1 by the calls or the ranking.
BOUNDED = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "mcc", "auprc")


def bounds_of(
    values: Mapping[str, float],
    spread: Mapping[str, NDArray[np.float64]],
    predictions: Predictions,
    positive: int,
    called: Ints,
    *,
    weighted: bool = False,
    seed: int = 0,
) -> dict[str, Bounds]:
    """{metric: (low, high)} for METRICS, from their values and replicates; `weighted` to a prevalence other than the cases'.

    See `score` for which interval is whose.
    """
    targets, two = predictions.targets, len(predictions.classes) == 2
    bounds = {name: interval_of(name, value, spread[name]) for name, value in values.items()}
    if not np.isnan(values["auroc"]) and (two or not weighted):
        watched = [positive] if two else np.unique(targets).tolist()
        p_NK = predictions.probabilities[:, watched]
        bounds["auroc"] = area_interval(p_NK, targets[:, None] == watched, predictions.patients)
    if not np.isnan(values["balanced_accuracy"]):
        same = ("balanced_accuracy",) if two else ("balanced_accuracy", "sensitivity")
        bounds |= dict.fromkeys(same, _balanced_interval(predictions, called))
    bounds |= _ends(values, predictions, positive, called)
    if not weighted and values["ece"] <= ece_by_chance(predictions, seed):
        bounds["ece"] = (0.0, bounds["ece"][1])
    return bounds


def sensitivity_bounds(value: float, spread: NDArray[np.float64], sick_patients: Ints) -> Bounds:
    """Of a sensitivity, from its replicates; the exact bound over the sick's patients where it is 0 or 1."""
    if value in (0.0, 1.0):
        n = len(np.unique(sick_patients))
        return clopper_pearson(n if value else 0, n)
    return interval_of("sensitivity", value, spread)


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


def _ends(values: Mapping[str, float], predictions: Predictions, positive: int, called: Ints) -> dict[str, Bounds]:
    """The exact bounds of the rates that are 0 or 1, where a bootstrap sees no spread; the patients are the trials.

    For figures that join several rates they are those of the smallest class, of which the least is known.
    """
    sick, said, patients = predictions.targets == positive, called == positive, predictions.patients
    everyone = np.ones(len(sick), dtype=bool)
    within = {"accuracy": everyone}
    if len(predictions.classes) == 2:
        within |= {"sensitivity": sick, "specificity": ~sick, "ppv": said, "npv": ~said}
    trials = {name: len(np.unique(patients[cases])) for name, cases in within.items()}
    fewest = min(len(np.unique(patients[predictions.targets == k])) for k in np.unique(predictions.targets))
    found = {}
    for name in BOUNDED:
        value, n = values[name], trials.get(name, fewest)
        if abs(value - 1) < 1e-12 or (value == 0 and name != "mcc"):
            found[name] = clopper_pearson(n if value else 0, n)
    return found
