"""What a remedy is for each finding by itself: a loss, a link and a class prior of two classes, absent and present."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.model import TrainingCounts
from evenray.core.spec import parse
from evenray.core.tags import PRESENT
from evenray.learning.balance import Balance, DoubleCorrectionWarning, make

from .question import Question
from .sampling import TWO, draws

__all__ = ["by_finding", "questions_of", "whole"]


def whole(spec: str, counts: TrainingCounts, epochs: int) -> Balance:
    """The chain as of two classes, those of the rarest finding that can be learnt: for its rule and what it needs.

    Raises and warns as `balance.make` does.
    """
    pairs = [pair for pair in zip(counts.absent, counts.present, strict=True) if min(pair)]
    return make(spec, min(pairs, key=min), TWO, PRESENT, epochs=epochs)


def by_finding(spec: str, counts: TrainingCounts, epochs: int) -> list[Balance]:
    """Of each finding the part of a chain that is about losses and thresholds; nothing where no case has it, or all have."""
    steps = " | ".join(str(step) for step in parse(spec) if not draws(str(step), epochs)) or "none"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DoubleCorrectionWarning)  # told of the whole chain
        return [
            make(steps, pair, TWO, PRESENT, epochs=epochs) if min(pair) else Balance()
            for pair in zip(counts.absent, counts.present, strict=True)
        ]


def questions_of(spec: str, counts: TrainingCounts, classes: tuple[str, ...], epochs: int = 10) -> tuple[Question, ...]:
    """The question that each finding asks, with what its loss and the sampler together did to its class prior."""
    found = []
    for k, (name, own) in enumerate(zip(classes, by_finding(spec, counts, epochs), strict=True)):
        pair: NDArray[np.float64] = np.array([counts.absent[k], counts.present[k]], dtype=np.float64)
        if not pair.min():  # half a case of each, so that no logarithm is of nothing
            found.append(Question(name, TWO, PRESENT, Balance(), (pair + 0.5) / (pair.sum() + 1)))
            continue
        prior = pair / pair.sum()
        if own.prior is None and counts.drawn is None:
            found.append(Question(name, TWO, PRESENT, Balance(link=own.link), prior))
            continue
        learnt = prior if own.prior is None else own.prior
        if counts.drawn is not None:
            learnt = learnt / prior * np.array([1 - counts.drawn[k], counts.drawn[k]])
        found.append(Question(name, TWO, PRESENT, Balance(prior=learnt / learnt.sum(), link=own.link), prior))
    return tuple(found)
