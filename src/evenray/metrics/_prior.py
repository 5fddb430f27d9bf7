"""The class shares that figures are for, and the weights of cases that give a part these shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.types import Predictions

__all__ = ["Prior", "case_weights", "class_prior", "weighted_to"]

Prior = float | Sequence[float] | NDArray[Any]


def class_prior(prior: Prior | None, predictions: Predictions) -> NDArray[np.float64]:
    """A class prior as shares (K,): from shares or counts, from the prevalence of the positive class (two classes), or,
    if None, from the cases themselves. UsageError if it fits neither.
    """
    K = len(predictions.classes)
    if prior is None:
        return np.bincount(predictions.targets, minlength=K) / max(predictions.table.height, 1)
    values = np.asarray(prior, dtype=np.float64)
    if values.ndim == 0:
        if K != 2 or not 0 < values < 1:
            raise UsageError(f"The prevalence is {values:g}; expected a share between 0 and 1, and two classes.")
        share = float(values)
        values = np.where(np.arange(2) == predictions.positive_index, share, 1 - share)
    if values.shape != (K,) or (values < 0).any() or not values.sum() > 0:
        raise UsageError(
            f"The prior is {values.tolist()}; expected a share for each of {', '.join(predictions.classes)}."
        )
    return np.asarray(values / values.sum())


def weighted_to(prior: NDArray[np.float64], W: NDArray[Any], targets: NDArray[np.int64]) -> NDArray[Any]:
    """Weights W (R, N) scaled so that in each row the classes have the shares `prior` (K,) and N is the whole.

    A row in which a class that ought to have a share is absent is NaN.

    >>> weighted_to(np.array([0.9, 0.1]), np.ones((1, 4)), np.array([0, 0, 0, 1])).round(1)
    array([[1.2, 1.2, 1.2, 0.4]])
    """
    shares = np.stack([W[:, targets == k].sum(axis=1) for k in range(len(prior))], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(prior > 0, prior * len(targets) / shares, 0.0)
    scale[~np.isfinite(scale).all(axis=1)] = np.nan
    return np.asarray(W * scale.astype(W.dtype)[:, targets])


def case_weights(predictions: Predictions, prevalence: Prior | None) -> NDArray[np.float64]:
    """What each case counts at a prevalence, float64 (N,): one where that is None, the cases' own."""
    one: NDArray[np.float64] = np.ones((1, predictions.table.height))
    if prevalence is not None:
        one = weighted_to(class_prior(prevalence, predictions), one, predictions.targets)
    return np.asarray(one[0])
