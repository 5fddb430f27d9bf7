"""How well scores rank positive cases before negative ones: ROC and precision-recall, and the areas under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Predictions

from ._curves import one_class
from ._prior import Prior, case_weights

__all__ = ["Ranking", "precision_recall", "roc"]


@dataclass(frozen=True)
class Ranking:
    """Cases sorted by falling score, once, so that weighted counts along the ranking are running sums.

    `order` sorts the cases, `positive` tells the positive ones in that order, `ends` are the last places of the runs of equal
    score, `tied` whether any run is longer than one.
    """

    order: NDArray[np.int64]
    positive: NDArray[np.bool_]
    scores: NDArray[np.float64]
    ends: NDArray[np.int64]
    tied: bool

    @classmethod
    def of(cls, scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Ranking:
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        return cls(order, positive[order], ranked, ends, len(ends) < len(order))

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Positive cases, and all cases, at or above each distinct score, and those scores, falling."""
        return np.cumsum(self.positive, dtype=np.int64)[self.ends], self.ends + 1, self.scores[self.ends]

    def areas(self, W: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC (the Mann-Whitney share, ties counting one half) and AUPRC (average precision) for each row of W.

        >>> ranking = Ranking.of(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))
        >>> [area.round(3).tolist() for area in ranking.areas(np.array([[1.0, 1, 1, 1], [1, 0, 1, 1]]))]
        [[0.75, 1.0], [0.833, 1.0]]
        """
        gained, every, level = self._at_positives(np.take(W, self.order, axis=1))
        found = np.cumsum(gained, axis=1)
        total, positives = W.sum(axis=1, dtype=np.float64), gained.sum(axis=1, dtype=np.float64)
        precision = found / np.maximum(every, np.finfo(W.dtype).tiny)
        lost = every - found - level / 2  # negative cases above, and half of those level: the pairs in the wrong order
        with np.errstate(divide="ignore", invalid="ignore"):
            auprc = (gained * precision).sum(axis=1, dtype=np.float64) / positives
            auroc = 1 - (gained * lost).sum(axis=1, dtype=np.float64) / (positives * (total - positives))
        auroc[~((positives > 0) & (total > positives))] = np.nan
        auprc[~(positives > 0)] = np.nan
        return auroc, auprc

    def sensitivity_at(self, W: NDArray[Any], specificity: float) -> NDArray[np.float64]:
        """The largest sensitivity of any threshold whose specificity is at least this, for each row of W.

        >>> ranking = Ranking.of(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))
        >>> ranking.sensitivity_at(np.ones((1, 4)), 0.9), ranking.sensitivity_at(np.ones((1, 4)), 0.5)
        (array([0.5]), array([1.]))
        """
        gained, every, _ = self._at_positives(np.take(W, self.order, axis=1))
        positives = gained.sum(axis=1, dtype=np.float64)
        negatives = W.sum(axis=1, dtype=np.float64) - positives
        alarms = every - np.cumsum(gained, axis=1)
        allowed = (1 - specificity) * negatives * (1 + 1e-9)
        found = (gained * (alarms <= allowed[:, None])).sum(axis=1, dtype=np.float64)
        share: NDArray[np.float64] = np.divide(
            found, positives, out=np.full(len(W), np.nan), where=(positives > 0) & (negatives > 0)
        )
        return share

    def _at_positives(self, ranked: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """At each distinct score that a positive case has: weights of the positive ones with it, of all at or above it, and
        of the negative ones with it. Only there does either area grow, so only there are the sums taken.
        """
        if not self.positive.any():
            none = np.zeros((len(ranked), 1), dtype=ranked.dtype)
            return none, none, none
        run = np.searchsorted(self.ends, np.flatnonzero(self.positive))
        runs = np.unique(run)
        ends = self.ends[runs]
        every = np.cumsum(np.add.reduceat(ranked[:, : ends[-1] + 1], np.append(0, ends[:-1] + 1), axis=1), axis=1)
        gained = ranked[:, self.positive]
        if not self.tied:
            return gained, every, np.zeros((), dtype=ranked.dtype)
        gained = np.add.reduceat(gained, np.searchsorted(run, runs), axis=1)
        starts = np.append(0, self.ends[:-1] + 1)[runs]
        lengths = ends - starts + 1
        first = np.cumsum(lengths) - lengths
        members = np.repeat(starts - first, lengths) + np.arange(lengths.sum())
        return gained, every, np.add.reduceat(ranked[:, members], first, axis=1) - gained


def roc(predictions: Predictions, of: str | None = None) -> pl.DataFrame:
    """The ROC curve of class `of` (default: the positive one) against the rest.

    Columns threshold (infinite in the first row), false_positive_rate and sensitivity, one row a distinct score.
    """
    scores, positive = one_class(predictions, of)
    true, every, at = Ranking.of(scores, positive).counts()
    return pl.DataFrame(
        {
            "threshold": np.append(np.inf, at),
            "false_positive_rate": np.append(0.0, _share(every - true)),
            "sensitivity": np.append(0.0, _share(true)),
        }
    )


def precision_recall(
    predictions: Predictions, of: str | None = None, *, prevalence: Prior | None = None
) -> pl.DataFrame:
    """The precision-recall curve of class `of` (default: the positive one) against the rest; AUPRC is its step area.

    Columns threshold, recall (sensitivity) and precision (PPV), one row a distinct score, recall rising. At a
    `prevalence` (a share of the positive class, or one for each class) the cases are weighted to it, as in `score`.
    """
    scores, positive = one_class(predictions, of)
    ranking = Ranking.of(scores, positive)
    true, _, at = ranking.counts()
    ranked = case_weights(predictions, prevalence)[ranking.order]
    found, every = (np.cumsum(weights)[ranking.ends] for weights in (ranked * ranking.positive, ranked))
    return pl.DataFrame({"threshold": at, "recall": _share(true), "precision": found / every})


def _share(running: NDArray[np.int64]) -> NDArray[np.float64]:
    return running / running[-1] if running[-1] > 0 else np.full(len(running), np.nan)
