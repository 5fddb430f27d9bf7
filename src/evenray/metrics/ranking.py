"""How well scores rank the sick before the healthy: ROC and precision-recall, and the areas under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Predictions

from ._curves import one_class

__all__ = ["Ranking", "precision_recall", "roc"]


@dataclass(frozen=True)
class Ranking:
    """Cases sorted by falling score, once, so that weighted counts along the ranking are running sums.

    `order` sorts the cases, `positive` tells the sick in that order, `ends` are the last places of runs of equal score
    (None where all scores differ).
    """

    order: NDArray[np.int64]
    positive: NDArray[np.bool_]
    ends: NDArray[np.int64] | None
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Ranking:
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        return cls(order, positive[order], None if len(ends) == len(order) else ends, ranked)

    def counts(self, W: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Weighted sick, and all cases, at or above each distinct score: two arrays (R, distinct scores)."""
        ranked = np.take(W, self.order, axis=1)
        every = np.cumsum(ranked, axis=1)
        ranked *= self.positive
        sick = np.cumsum(ranked, axis=1, out=ranked)
        if self.ends is None:
            return sick, every
        return sick[:, self.ends], every[:, self.ends]

    def areas(self, W: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC (the Mann-Whitney share, ties counting one half) and AUPRC (average precision) for each row of W.

        >>> ranking = Ranking.of(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))
        >>> [area.round(3).tolist() for area in ranking.areas(np.array([[1.0, 1, 1, 1], [1, 0, 1, 1]]))]
        [[0.75, 1.0], [0.833, 1.0]]
        """
        sick, every = self.counts(W)
        gained = np.diff(sick, axis=1, prepend=0)
        sick_all, all_ = sick[:, -1].astype(np.float64), every[:, -1].astype(np.float64)
        precision = np.divide(sick, every, out=np.zeros_like(sick), where=every > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            auprc = _dot(gained, precision) / sick_all
            # pairs in which the healthy one ranks below: all healthy, less those above and half of those level
            healthy = every - sick
            level = np.diff(healthy, axis=1, prepend=0) if self.ends is not None else None
            above = healthy if level is None else healthy - level / 2
            auroc = 1 - _dot(gained, above) / (sick_all * (all_ - sick_all))
        auroc[~((sick_all > 0) & (all_ > sick_all))] = np.nan
        auprc[~(sick_all > 0)] = np.nan
        return auroc, auprc


def _dot(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray((a * b).sum(axis=1, dtype=np.float64))


def roc(predictions: Predictions, of: str | None = None) -> pl.DataFrame:
    """The ROC curve of class `of` (default: the positive one) against the rest.

    Columns threshold (infinite in the first row), false_positive_rate and sensitivity, one row a distinct score.
    """
    scores, positive = one_class(predictions, of)
    ranking = Ranking.of(scores, positive)
    sick, every = (counts[0] for counts in ranking.counts(np.ones((1, len(scores)))))
    at = ranking.scores if ranking.ends is None else ranking.scores[ranking.ends]
    return pl.DataFrame(
        {
            "threshold": np.append(np.inf, at),
            "false_positive_rate": np.append(0.0, _share(every - sick)),
            "sensitivity": np.append(0.0, _share(sick)),
        }
    )


def precision_recall(predictions: Predictions, of: str | None = None) -> pl.DataFrame:
    """The precision-recall curve of class `of` (default: the positive one) against the rest; AUPRC is its step area.

    Columns threshold, recall (sensitivity) and precision (PPV), one row a distinct score, recall rising.
    """
    scores, positive = one_class(predictions, of)
    ranking = Ranking.of(scores, positive)
    sick, every = (counts[0] for counts in ranking.counts(np.ones((1, len(scores)))))
    at = ranking.scores if ranking.ends is None else ranking.scores[ranking.ends]
    return pl.DataFrame({"threshold": at, "recall": _share(sick), "precision": sick / every})


def _share(running: NDArray[np.float64]) -> NDArray[np.float64]:
    return running / running[-1] if running[-1] > 0 else np.full_like(running, np.nan)
