"""Of every case and class: whether it is there, how much was said of it, and whether it was found where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Predictions
from evenray.metrics.boxes import box_matches, found_boxes
from evenray.metrics.measuring import Cut

__all__ = ["Answered", "cut_of", "evidence", "sought"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answered:
    """What is true of cases beside what was said of them, all (N, K).

    `has`: the case has the class, objects that are not to be counted aside. `told`: `evidence`, of boxes by those that count.
    `there`: the same where the class is, by the pixels of it that were called it, or the surest box that is an object of it; of
    whole images it is `told`. `called`: the case was called the class, of masks and boxes anywhere. `found`: it has the class
    and was called it, of masks and boxes somewhere where it is.
    """

    has: Bools
    told: Floats
    there: Floats
    called: Bools
    found: Bools

    @classmethod
    def of(cls, predictions: Predictions, cuts: Cut) -> Answered:
        """At the thresholds `cuts`, one, or one a class."""
        if predictions.task == "detect":
            has, told, there = _of_boxes(predictions)
        else:
            has, told = _has_class(predictions), evidence(predictions)
            there = told
            if predictions.task == "segment":
                hits = (pl.col(f"hit_{k}").cast(pl.Float64) for k in range(len(predictions.classes)))
                there = predictions.table.select(hits).to_numpy()
        called, on_it = _reached(told, predictions, cuts), _reached(there, predictions, cuts)
        return cls(has, told, there, called, has & on_it)

    def shown(self, i: int) -> int:
        """The class whose map is shown of the case i: of those that it was called, or where there is none of those that it has, the
        one of which most was said."""
        among = next((one[i] for one in (self.called, self.has) if one[i].any()), np.ones_like(self.has[i]))
        return int(np.where(among, self.told[i], -1).argmax())


def _of_boxes(predictions: Predictions) -> tuple[Bools, Floats, Floats]:
    N, K = predictions.table.height, len(predictions.classes)
    has, told, there = np.zeros((N, K), bool), np.zeros((N, K)), np.zeros((N, K))
    for k, one in enumerate(box_matches(predictions, (0.5,))):
        has[:, k] = one.objects > 0
        for most, which in ((told, ~one.ignored[0]), (there, one.hit[0])):
            np.maximum.at(most[:, k], one.image[which], one.score[which])
    return has, told, there


def _has_class(predictions: Predictions) -> Bools:
    targets = predictions.targets
    return targets > 0 if targets.ndim == 2 else targets[:, None] == np.arange(len(predictions.classes))


def _reached(told_NK: Floats, predictions: Predictions, cuts: Cut) -> Bools:
    """Whether so much was said of each class that the case is called it."""
    if isinstance(cuts, float) and predictions.task == "classify":  # of the positive one of two classes
        positive = predictions.positive_index
        said = told_NK[:, [positive]] >= cuts
        return np.where(np.arange(told_NK.shape[1]) == positive, said, ~said)
    if predictions.task == "segment" or not isinstance(cuts, Sequence):
        return told_NK > 0
    return (told_NK >= [cut_of(cuts, k) for k in range(told_NK.shape[1])]) & (told_NK > 0)


def cut_of(cuts: Cut, k: int) -> float:
    """The threshold of the class k of several; one that is not told is .5, and without any all is called that was said at all.

    >>> cut_of([0.2, None], 1), cut_of(None, 1)
    (0.5, 0.0)
    """
    own = cuts[k] if isinstance(cuts, Sequence) else 0.0
    return 0.5 if own is None else own


def evidence(predictions: Predictions) -> Floats:
    """How much was said of each class in each case, float64 (N, K): its probability, the pixels that were called it, or the
    probability of its surest box; 0 where another of several classes was called."""
    if predictions.task == "segment":
        K = range(len(predictions.classes))
        return predictions.table.select(pl.col(f"called_{k}").cast(pl.Float64) for k in K).to_numpy()
    if predictions.task == "detect":
        found = np.zeros((predictions.table.height, len(predictions.classes)))
        for row, boxes in enumerate(found_boxes(predictions)):
            np.maximum.at(found[row], boxes[:, 0].astype(int), boxes[:, 5])
        return found
    p_NK = predictions.probabilities
    several = predictions.task == "classify" and p_NK.shape[1] > 2
    return np.where(p_NK >= p_NK.max(1, keepdims=True), p_NK, 0) if several else p_NK


def sought(predictions: Predictions) -> list[int]:
    """The classes that are looked for: of two classes the positive one, else all."""
    if predictions.task == "classify" and len(predictions.classes) == 2:
        return [predictions.positive_index]
    return list(range(len(predictions.classes)))
