"""The threshold of the scores of a class, chosen on the validation part."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray

from evenray.core.registry import Registry
from evenray.core.spec import Step

from .matching import Matches

__all__ = ["choose_detection_threshold", "detection_rules", "is_told"]

detection_rules = Registry(
    "rule for the threshold of boxes",
    {
        "f1": "evenray.metrics.detection_threshold:f1",
        "false_positives": "evenray.metrics.detection_threshold:false_positives",
        "sensitivity": "evenray.metrics.detection_threshold:sensitivity",
        "fixed": "evenray.metrics.detection_threshold:fixed",
    },
    context=1,
)
UNTOLD = 0.5  # where the validation part has no object of the class
BY_OBJECTS = ("f1", "sensitivity")


def choose_detection_threshold(one: Matches, rule: str) -> float:
    """The threshold of a class by a rule: f1, false_positives(1), sensitivity(0.9) or fixed(0.5); .5 where no image has an object.

    >>> one = Matches.of_scores([0.7, 0.5], hits=[True, False], objects=[1])
    >>> round(choose_detection_threshold(one, "f1"), 6), choose_detection_threshold(one, "false_positives(1)")
    (0.6, 0.0)
    """
    chosen: float = detection_rules.bind(rule)(one)
    return chosen


def is_told(one: Matches, rule: str) -> bool:
    """Whether these images can tell the threshold that a rule asks for."""
    return Step.of(rule).name not in BY_OBJECTS or _found(one)


def f1(one: Matches) -> float:
    """The threshold of the largest F1, the harmonic mean of sensitivity and precision."""
    if not _found(one):
        return UNTOLD
    true, false = _counts(one)
    value = np.where(one.ends, 2 * true / (true + false + one.objects.sum()), -1.0)
    return _below(one, int(value.argmax()))


def false_positives(one: Matches, rate: Annotated[float, Gt(0)] = 1.0) -> float:
    """The lowest threshold with at most `rate` false positives an image."""
    false = np.where(one.ends, _counts(one)[1], np.inf)
    within = np.flatnonzero(false <= rate * len(one.objects))
    return _below(one, int(within[-1]) if len(within) else -1)


def sensitivity(one: Matches, aim: Annotated[float, Gt(0), Lt(1)] = 0.9) -> float:
    """The highest threshold that finds this share of the objects; the lowest score where none does."""
    if not _found(one):
        return UNTOLD
    true = np.where(one.ends, _counts(one)[0], -1)
    enough = np.flatnonzero(true >= aim * one.objects.sum())
    return _below(one, int(enough[0]) if len(enough) else len(one.score) - 1)


def fixed(one: Matches, at: Annotated[float, Gt(0), Lt(1)] = 0.5) -> float:
    """A threshold that looks at no case."""
    return at


def _found(one: Matches) -> bool:
    """Whether there are objects, and anything was detected."""
    return bool(one.objects.any()) and len(one.score) > 0


def _counts(one: Matches) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.cumsum(one.hit[0]), np.cumsum(~one.hit[0] & ~one.ignored[0])


def _below(one: Matches, last: int) -> float:
    """A threshold between the score of detection number `last` and the next lower one."""
    if last + 1 >= len(one.score):
        return 0.0
    return float((one.score[last] if last >= 0 else 1.0) + one.score[last + 1]) / 2
