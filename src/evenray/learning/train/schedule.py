"""The learning rate over a training, and which of its epochs is kept."""

from __future__ import annotations

import math

from evenray.learning.balance import Balance

__all__ = ["History", "as_good_as_any", "first_to_keep", "one_cycle", "stale"]

WARM_UP = 0.1

History = list[dict[str, float]]


def one_cycle(progress: float) -> float:
    """The share of the highest learning rate: a linear rise over the first tenth, half a cosine down to a hundredth.

    >>> [round(one_cycle(p), 3) for p in (0, 0.05, 0.1, 1)]
    [0.01, 0.505, 1.0, 0.01]
    """
    if progress < WARM_UP:
        return 0.01 + 0.99 * progress / WARM_UP
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def first_to_keep(balance: Balance, epochs: int) -> int:
    """The first epoch, from 0 on, in which the remedy no longer changes; the last epoch where there is none.

    >>> [first_to_keep(Balance(constant_from=share), epochs) for share, epochs in ((None, 10), (0.5, 7), (0.8, 2))]
    [0, 4, 1]
    """
    return min(math.ceil((balance.constant_from or 0.0) * epochs), epochs - 1)


def stale(history: History, figure: str) -> int:
    """Epochs since the best validation figure, which the first of equals is.

    >>> stale([{"dice": 0.5}, {"dice": 0.7}, {"dice": 0.7}], "dice"), stale([], "dice")
    (1, 0)
    """
    scores = [row.get(figure, 0.0) for row in history]
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def as_good_as_any(history: History, figure: str) -> bool:
    """Whether the last epoch's validation figure is the best so far, or within the best one's standard error of it.

    The rule of one standard error (Breiman et al. 1984, section 3.4.3): among epochs that validation cannot tell apart
    the last one is kept, as weights settle while the learning rate falls. Of no epochs, none is as good.

    >>> first = {"dice": 0.80, "dice_error": 0.02}
    >>> [as_good_as_any([first, {"dice": value}], "dice") for value in (0.81, 0.79, 0.77)]
    [True, True, False]
    >>> as_good_as_any([first | {"dice_error": float("nan")}, {"dice": 0.7}], "dice")
    True
    """
    if not history:
        return False
    best = max(history, key=lambda row: row.get(figure, 0.0))
    least = best.get(figure, 0.0) - best.get(f"{figure}_error", 0.0)
    return not history[-1].get(figure, 0.0) < least  # an unknown error tells no epochs apart
