"""One view of the predictions of a part that yields every metric for any weights of its cases.

The figures themselves, their bootstrap replicates and the baseline's figures all come from here, so they cannot differ
in definition.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Predictions

from . import calibration, threshold
from ._curves import require_classes
from ._prior import weighted_to
from .folds import ranking_of

__all__ = ["METRICS", "Meter"]

METRICS = (
    "accuracy", "balanced_accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "mcc", "auroc", "auprc", "brier", "ece",
    "log_loss",
)  # fmt: skip
WITHIN = ("sensitivity", "specificity")  # of two classes: what is told by the cases of one alone


class Meter:
    """Calling it with weights W (R, N) gives {metric: float64 (R,)}; NaN where a metric is undefined under the weights.

    `prior` (K,), if given, is the class prior to score at: cases are weighted so that the classes have these shares. Where
    a class with a share has no case, only what the cases of the other of two tell is defined. With `folds` (N,), those that held
    the cases out, areas are means over these where they hold enough `patients` (N,; None: each case is one).

    >>> meter = Meter(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]), predicted=np.array([0, 1]), positive=1)
    >>> meter(np.ones((1, 2)))["auroc"]
    array([1.])
    """

    def __init__(
        self,
        probabilities: NDArray[np.float64],
        targets: NDArray[np.int64],
        predicted: NDArray[np.int64],
        positive: int,
        prior: NDArray[np.float64] | None = None,
        folds: NDArray[np.int64] | None = None,
        patients: NDArray[np.int64] | None = None,
    ) -> None:
        self.targets, self.prior = targets, prior
        self.K = probabilities.shape[1]
        self.counts = np.bincount(targets, minlength=self.K)
        self.positive = positive
        watched = [positive] if self.K == 2 else list(np.flatnonzero(self.counts))
        who = np.arange(len(targets)) if patients is None else patients
        self.rankings = [ranking_of(probabilities[:, k], targets == k, folds, who) for k in watched]
        cells = threshold.cells(targets, predicted, self.K)
        losses, self.bins = calibration.columns(probabilities, targets, positive)
        self.columns = np.column_stack([cells, losses]).astype(np.float64)
        self._narrow = self.columns.astype(np.float32)

    def __call__(self, W: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        partial = np.zeros(len(W), dtype=bool)
        if self.prior is not None:
            at = weighted_to(self.prior, W, self.targets)
            partial = np.isnan(at[:, 0])
            W = np.where(partial[:, None], W, at) if partial.any() else at
        sums = (W @ (self._narrow if W.dtype == np.float32 else self.columns)).astype(np.float64)
        confusion = sums[:, : self.K**2].reshape(-1, self.K, self.K)
        found = threshold.from_confusion(confusion, self.positive, present=self.counts > 0)
        areas = np.array([ranking.areas(W) for ranking in self.rankings])  # (classes, 2, R)
        found["auroc"], found["auprc"] = areas.mean(axis=0)
        found |= calibration.from_sums(sums[:, self.K**2 :], confusion.sum(axis=(1, 2)), self.bins)
        for name in METRICS if partial.any() else ():
            if self.K > 2 or name not in WITHIN:
                found[name][partial] = np.nan
        return {name: found[name] for name in METRICS}


def decide(predictions: Predictions, threshold: float | None) -> NDArray[np.int64]:
    """The class called for every case, int64 (N,); DataError where there is no case.

    With two classes, the positive one where its probability reaches `threshold` (None: the one that the predictions carry for
    each case, else 0.5); with more, that of the largest probability.
    """
    if predictions.table.height == 0:
        raise DataError("There are no predictions to score; the part is empty.")
    require_classes(predictions)
    if len(predictions.classes) == 2:
        usual = 0.5 if predictions.thresholds is None else predictions.thresholds
        cuts = usual if threshold is None else threshold
    elif threshold is None:
        return np.asarray(predictions.probabilities.argmax(axis=1), dtype=np.int64)
    else:
        raise UsageError(
            f"A threshold ({threshold:g}) is for two classes, but there are {len(predictions.classes)}; leave it out."
        )
    positive = predictions.positive_index
    return np.where(predictions.probabilities[:, positive] >= cuts, positive, 1 - positive).astype(np.int64)
