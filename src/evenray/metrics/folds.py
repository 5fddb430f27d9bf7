"""Ranking within the folds of a cross-validation, whose networks' scores have no common scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ranking import Ranking

__all__ = ["ENOUGH", "WithinFolds", "ranking_of", "rows_within"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
ENOUGH = (
    2  # patients of a class, and of the rest, that every fold needs to be ranked by itself: one alone has no spread
)


def rows_within(folds: Ints | None, positive: Bools, patients: Ints) -> list[Ints] | None:
    """The rows of each fold, where every one holds positive cases and others of ENOUGH patients; None where all cases are ranked
    together.

    >>> rows_within(np.array([0, 1, 0, 1, 0, 1, 0, 1]), np.array([True] * 4 + [False] * 4), np.arange(8))
    [array([0, 2, 4, 6]), array([1, 3, 5, 7])]
    >>> rows_within(np.array([0, 0, 0, 1]), np.array([True, True, False, False]), np.arange(4)) is None
    True
    """
    if folds is None:
        return None
    found = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    sides = (rows[own] for rows in found for own in (positive[rows], ~positive[rows]))
    return found if min((len(np.unique(patients[side])) for side in sides), default=0) >= ENOUGH else None


@dataclass(frozen=True)
class WithinFolds:
    """The rankings of several folds, and that of all their cases.

    AUROC is the mean over the folds, each counting as much as its positive cases. AUPRC is that of all cases: with a few
    positive cases in each fold a mean would come out .06 to .14 too high (docs/guides/evaluation.md).
    """

    rows: Sequence[Ints]
    rankings: Sequence[Ranking]
    whole: Ranking

    def areas(self, W: NDArray[Any]) -> tuple[Floats, Floats]:
        """As `Ranking.areas`; a fold in which AUROC is not defined under the weights counts nothing.

        >>> scores, positive = np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, False, True, False])
        >>> apart, truth = np.tile(scores, 2) / [1, 1, 1, 1, 9, 9, 9, 9], np.tile(positive, 2)
        >>> ranking = ranking_of(apart, truth, np.repeat([0, 1], 4), np.arange(8))
        >>> [round(float(area[0]), 3) for area in ranking.areas(np.ones((1, 8)))]
        [0.75, 0.71]
        """
        total, sums = np.zeros((2, len(W)))
        for rows, ranking in zip(self.rows, self.rankings, strict=True):
            own = W[:, rows]
            auroc = ranking.areas(own)[0]
            weight = own[:, ranking.order[ranking.positive]].sum(axis=1, dtype=np.float64) * ~np.isnan(auroc)
            sums += np.nan_to_num(auroc) * weight
            total += weight
        return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0), self.whole.areas(W)[1]


def ranking_of(scores: Floats, positive: Bools, folds: Ints | None, patients: Ints) -> Ranking | WithinFolds:
    """The ranking of all cases, or where `folds` are large enough those of each beside it."""
    whole, rows = Ranking.of(scores, positive), rows_within(folds, positive, patients)
    if rows is None:
        return whole
    return WithinFolds(rows, [Ranking.of(scores[own], positive[own]) for own in rows], whole)
