"""What follows from calling each case one class: the confusion matrix and the rates read off it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cells", "from_confusion"]

Floats = NDArray[np.float64]


def cells(targets: NDArray[np.int64], predicted: NDArray[np.int64], K: int) -> NDArray[np.bool_]:
    """Which cell of the confusion matrix each case falls into, bool (N, K * K); true classes are the rows."""
    return np.asarray((targets * K + predicted)[:, None] == np.arange(K * K))


def from_confusion(
    confusion: NDArray[Any], positive: int, present: NDArray[np.bool_] | None = None
) -> dict[str, Floats]:
    """The rates of confusion matrices (R, K, K; rows true, columns called), each float64 (R,).

    With two classes sensitivity, specificity, ppv, npv and f1 are about the class `positive`; with more they are the
    mean over the classes, each against the rest (a class never called has ppv 0 there). balanced_accuracy is the mean
    sensitivity of the classes, mcc Gorodkin's (2004) coefficient for K classes, 0 where only one class is called.
    A rate whose denominator is empty is NaN, and so is one about a class without a true case: what it says would be of
    the calls alone. `present` (K,) names the classes to average over, by default all.

    >>> rates = from_confusion(np.array([[[80, 20], [2, 8]]]), positive=1)
    >>> {name: float(rates[name][0].round(3)) for name in ("sensitivity", "specificity", "ppv")}
    {'sensitivity': 0.8, 'specificity': 0.8, 'ppv': 0.286}
    """
    K = confusion.shape[1]
    confusion = confusion.astype(np.float64)
    hit = np.diagonal(confusion, axis1=1, axis2=2)
    true, called, total = confusion.sum(axis=2), confusion.sum(axis=1), confusion.sum(axis=(1, 2))
    # Neither of the class nor called so; of two classes a cell of its own, which weights that are no integers leave exact.
    neither = hit[:, ::-1] if K == 2 else np.maximum(total[:, None] - true - called + hit, 0.0)
    others = true[:, ::-1] if K == 2 else total[:, None] - true
    found = {
        "sensitivity": _ratio(hit, true),
        "specificity": _ratio(neither, others),
        "ppv": _ratio(hit, called),
        "npv": _ratio(neither, called[:, ::-1] if K == 2 else total[:, None] - called),
        "f1": _ratio(2 * hit, true + called),
    }
    present = np.ones(K, dtype=bool) if present is None or K == 2 else present
    absent = (true == 0)[:, present].any(axis=1)
    balanced = found["sensitivity"][:, present].mean(axis=1)
    if K == 2:
        found |= {name: np.where(true == 0, np.nan, found[name]) for name in ("ppv", "f1")}
        found["npv"] = np.where(true[:, ::-1] == 0, np.nan, found["npv"])
        rates = {name: values[:, positive] for name, values in found.items()}
    else:
        found["ppv"] = np.where(called == 0, 0.0, found["ppv"])
        rates = {name: values[:, present].mean(axis=1) for name, values in found.items()}
    accuracy = _ratio(hit.sum(axis=1), total)
    mcc = np.where(absent, np.nan, _mcc(hit, true, called, total))
    return {"accuracy": accuracy, "balanced_accuracy": balanced, **rates, "mcc": mcc}


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0))


def _mcc(hit: Floats, true: Floats, called: Floats, total: Floats) -> Floats:
    covariance = hit.sum(axis=1) * total - (true * called).sum(axis=1)
    spread = (total**2 - (true**2).sum(axis=1)) * (total**2 - (called**2).sum(axis=1))
    value: Floats = np.divide(covariance, np.sqrt(np.maximum(spread, 0)), out=np.zeros_like(total), where=spread > 0)
    value[~(total > 0)] = np.nan
    return value
