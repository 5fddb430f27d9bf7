"""Starts judged against each other: from the same folds of the same cases, by the rule that chooses cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evenray.core.messages import Message
from evenray.core.types import Predictions
from evenray.learning.predict import ensemble
from evenray.metrics import LOWER_IS_BETTER

from ._cells import Cell, Setup, folds_of, predicted, train_fold
from ._choice import Posterior, settle
from ._grid import Measured, believed, measure

__all__ = ["Judged", "judge", "taken_of"]

SHOWN = 0.9


@dataclass(frozen=True)
class Judged:
    """What cross-validation says of a start: its mean figure, the figure expected of it when the others are heard too (both by
    `metric`), how many cases and folds there were, whether it is taken, whether that is by rule, and
    the seconds that it took."""

    metric: str
    value: float
    expected: float
    ahead: float
    cases: int
    folds: int
    count: int
    taken: bool
    by_rule: bool
    seconds: float

    def told(self, code: str, **more: str) -> Message:
        """The sentence of that code, with these figures."""
        values = {
            "metric": self.metric, "value": self.value, "ahead": self.ahead, "cases": self.cases, "folds": self.folds,
            "starts": self.count,
        }  # fmt: skip
        return Message(code, {**values, **more})


def judge(
    setups: Sequence[tuple[Setup, str]], contrast: str, balance: str, folder: Path, metric: str,
    tick: Callable[[int], None] = lambda n: None, *, averaged: Sequence[int] = (),
) -> list[Judged]:  # fmt: skip
    """Cross-validate every start, a setup with its network, and take one: see `taken_of`. Each fold is kept in `folder`.

    `ahead` is the expected lead over the first; of the first, over the best of the others. `averaged` are starts whose
    probabilities are averaged with those of the first: each such average is judged too, after the starts themselves, and
    trains nothing.
    """
    measured, runs = list[Measured](), list[tuple[Predictions, float]]()
    for setup, network in setups:
        cell = Cell(contrast, balance, network)
        [works] = folds_of(cell, setup, folder, setup.settings.epochs)
        for work in works:
            if not Path(work.path).exists():
                train_fold(work)
            tick(1)
        runs.append(predicted(cell, setup, works))
        measured.append(measure(cell, runs[-1:], setup.fold, setup.settings.epochs, setup.settings.seed))
    first = setups[0][0]
    for i in averaged:
        cell = Cell(contrast, balance, f"{setups[0][1]} + {setups[i][1]}")
        (one, seconds), (other, more) = runs[0], runs[i]
        both = ensemble({"first": one, "other": other}), seconds + more
        measured.append(measure(cell, [both], first.fold, first.settings.epochs, first.settings.seed))
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    belief = believed([measured], metric, first.settings.seed)
    taken, by_rule = taken_of(belief, range(len(setups), len(measured)))
    best = max(belief.mean[1:], default=belief.mean[0])
    return [
        Judged(
            metric=metric, value=one.figures[metric].value, expected=float(sign * belief.mean[i]),
            ahead=float(sign * (belief.mean[i] - (belief.mean[0] if i else best))), cases=len(first.dataset),
            folds=len(set(first.fold.tolist())), count=len(measured), taken=i == taken,
            by_rule=i == taken and by_rule, seconds=one.seconds,
        )
        for i, one in enumerate(measured)
    ]  # fmt: skip


def taken_of(belief: Posterior, averages: Sequence[int]) -> tuple[int, bool]:
    """The start to take, and whether by rule: the best of the `averages`, unless one start alone is ahead of it with the
    probability SHOWN; by rule, where the average itself is not shown to be ahead of the first. Without averages as cells are.

    The mean of two probabilities has at most the mean of their log losses and Brier scores (Jensen), whichever is the better.
    """
    settled = settle(belief)
    if not averages:
        return settled, False
    best = max(averages, key=belief.mean.__getitem__)
    alone = max((i for i in range(len(belief.mean)) if i not in averages), key=belief.mean.__getitem__)
    if belief.better(alone, best) >= SHOWN:
        return alone, False
    return best, settled != best
