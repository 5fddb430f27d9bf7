"""Top-k error, as ImageNet is scored: a case counts as wrong where its class is not among the k most probable ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.types import Estimate, Predictions

from ._curves import require_classes
from ._prior import class_prior
from .intervals import clopper_pearson, percentile_interval, replicates

__all__ = ["top_error"]


def top_error(
    predictions: Predictions,
    k: int = 1,
    *,
    seed: int = 0,
    resamples: int = 1000,
    prior: NDArray[Any] | None = None,
) -> Estimate:
    """The share of cases whose true class is not among the `k` most probable, with its interval over patients.

    Classes of equal probability count in their order. The baseline names the k most frequent classes of `prior` (by
    default those of the cases) for everybody. A share of 0 or 1 gets the exact binomial bound over its patients.
    UsageError unless 1 <= k < the number of classes.

    >>> import polars as pl
    >>> table = pl.DataFrame({"target": [0, 1, 2], "patient": ["a", "b", "c"], "p_0": [0.6, 0.5, 0.5], "p_1": [0.3, 0.1, 0.3],
    ...                       "p_2": [0.1, 0.4, 0.2]})
    >>> three = Predictions(table, ("x", "y", "z"), "x")
    >>> [round(top_error(three, k, resamples=0).value, 3) for k in (1, 2)]
    [0.667, 0.667]
    """
    require_classes(predictions)
    if not 1 <= k < len(predictions.classes):
        raise UsageError(f"k is {k}; with {len(predictions.classes)} classes give 1 to {len(predictions.classes) - 1}.")
    targets = predictions.targets
    best = np.argsort(-predictions.probabilities, axis=1, kind="stable")[:, :k]
    wrong = ~(best == targets[:, None]).any(axis=1)
    named = np.argsort(-class_prior(prior, predictions), kind="stable")[:k]
    baseline = float(np.mean(~np.isin(targets, named)))
    value = float(wrong.mean())
    if not resamples:
        return Estimate(value, np.nan, np.nan, baseline)
    if value in (0.0, 1.0):
        patients = int(predictions.patients.max()) + 1
        return Estimate(value, *clopper_pearson(patients if value else 0, patients), baseline)
    spread = replicates(lambda W: {"error": (W @ wrong) / W.sum(1)}, predictions.patients, resamples, seed)
    return Estimate(value, *percentile_interval(spread["error"]), baseline)
