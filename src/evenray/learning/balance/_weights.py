"""Class weights: from counts, from alpha, or by name; and the scale that keeps the learning rate's meaning."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError

__all__ = ["Scheme", "alpha_weights", "by_scheme", "effective_number", "named_weights", "scaled"]

Scheme = Literal["auto", "inverse", "sqrt", "effective"]
Floats = NDArray[np.float64]


def by_scheme(scheme: Scheme, class_counts: NDArray[np.int64], beta: float) -> Floats:
    """Weights (K,) of 1 / count (`auto`, `inverse`), its square root, or 1 / effective number of samples.

    >>> by_scheme("sqrt", np.array([400, 4]), beta=0.999)
    array([0.05, 0.5 ])
    """
    if scheme == "effective":
        return np.asarray(1 / effective_number(class_counts, beta))
    return np.asarray(1 / (np.sqrt(class_counts) if scheme == "sqrt" else class_counts))


def effective_number(class_counts: NDArray[np.int64], beta: float) -> Floats:
    """(1 - beta^n) / (1 - beta), the effective number of samples of a class with n (Cui et al. 2019, proposition 1).

    >>> effective_number(np.array([1, 10_000]), 0.99).round(3)
    array([  1., 100.])
    """
    return np.asarray((1 - np.power(beta, class_counts.astype(np.float64))) / (1 - beta))


def alpha_weights(
    alpha: float, classes: tuple[str, ...], positive: str | None, class_counts: NDArray[np.int64]
) -> Floats:
    """alpha for the class `positive` and 1 - alpha for the other; UsageError unless there are two."""
    K = len(class_counts)
    if K != 2:
        raise UsageError(
            f"alpha is {alpha}, which is for two classes, but there are {K}; use weighted with a weight for each by name."
        )
    index = classes.index(positive) if positive in classes else 1
    return np.where(np.arange(2) == index, alpha, 1 - alpha)


def named_weights(named: dict[str, float], classes: tuple[str, ...]) -> Floats:
    """The weights in class order; UsageError unless each class has one.

    >>> named_weights({"sick": 3.0, "healthy": 1.0}, ("healthy", "sick"))
    array([1., 3.])
    """
    if set(named) != set(classes):
        raise UsageError(
            f"The weights are for {', '.join(named)}, but the classes are {', '.join(classes)}; give each class one."
        )
    return np.array([named[name] for name in classes], dtype=np.float64)


def scaled(weights_K: Floats, class_counts: NDArray[np.int64]) -> Floats:
    """The weights times the constant that makes the average training case weigh one.

    >>> scaled(np.array([0.25, 0.75]), np.array([10, 10]))
    array([0.5, 1.5])
    """
    return np.asarray(weights_K * class_counts.sum() / (weights_K * class_counts).sum())
