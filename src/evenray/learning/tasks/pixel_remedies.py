"""What a remedy is for masks: a pixel is a case to losses and priors, an image to samplers; and the way back to probabilities."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.model import TrainingCounts
from evenray.core.spec import parse
from evenray.core.tags import PRESENT
from evenray.learning.balance import Balance, DoubleCorrectionWarning, Sampler, make

from .question import Question
from .sampling import TWO, draws, sampling

__all__ = ["BACKGROUND_NAME", "MILLION", "counted", "pixel_questions", "pixel_remedy"]

BACKGROUND_NAME = "background"
MILLION = 1_000_000  # the pixels of every image, so that large images count no more than small ones
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def pixel_remedy(spec: str, shares_NK: Ints, classes: tuple[str, ...], epochs: int) -> tuple[Balance, TrainingCounts]:
    """The remedy for training images in which the background and the classes have these shares, in millionths (N, K + 1).

    Steps that draw cases do so by the rarest class that an image has; the others are made for the counts of pixels. Raises and
    warns as `balance.make` does.
    """
    drawing, weights = sampling(spec, (shares_NK[:, 1:] > 0).astype(np.int64), epochs)
    counts = counted(shares_NK, weights)
    own = _losses(spec, counts, classes, epochs)
    sampler = None if drawing.sampler is None else _by_image(drawing.sampler)
    return replace(own, sampler=sampler, mix=drawing.mix, constant_from=drawing.constant_from), counts


def _by_image(plain: Sampler) -> Sampler:
    """A sampler of findings for shares of pixels: by which classes an image has."""

    def sampler(targets_N: Ints, *, batch: int, seed: int, epoch: int) -> Ints:
        return plain((targets_N[:, 1:] > 0).astype(np.int64), batch=batch, seed=seed, epoch=epoch)

    return sampler


def counted(shares_NK: Ints, weights_N: Floats | None) -> TrainingCounts:
    """The pixels of each class and all others, in millionths of an image, and the shares as images are drawn with weights."""
    total = shares_NK.sum(axis=0)
    drawn = None
    if weights_N is not None:
        weighted = weights_N @ shares_NK
        drawn = tuple((weighted[1:] / weighted.sum()).tolist())
    return TrainingCounts(
        present=tuple(total[1:].tolist()), absent=tuple((total.sum() - total[1:]).tolist()), drawn=drawn
    )


def pixel_questions(
    spec: str, counts: TrainingCounts, classes: tuple[str, ...], epochs: int = 10
) -> tuple[Question, ...]:
    """What each class asks of a pixel: whether it is of it. With what loss and sampler together did to its share.

    Of one class that is exact; of several, each is corrected against the rest, and calibration takes what is left.
    """
    own, found = _losses(spec, counts, classes, epochs), []
    for k, name in enumerate(classes):
        pair = np.array([counts.absent[k], counts.present[k]], dtype=np.float64)
        prior = (pair + 0.5) / (pair.sum() + 1)
        learnt = prior
        if own.prior is not None:
            learnt = learnt / prior * np.array([1 - own.prior[k + 1], own.prior[k + 1]])
        if counts.drawn is not None:
            learnt = learnt / prior * np.array([1 - counts.drawn[k], counts.drawn[k]])
        bent = own.posterior is not False and (own.prior is not None or counts.drawn is not None)
        balance = Balance(
            prior=np.clip(learnt / learnt.sum(), 1e-9, 1) if bent else None, posterior=own.posterior,
            link=own.link if len(classes) == 1 else None,
        )  # fmt: skip
        found.append(Question(name, TWO, PRESENT, balance, prior))
    return tuple(found)


def _losses(spec: str, counts: TrainingCounts, classes: tuple[str, ...], epochs: int) -> Balance:
    """The part of a chain that is not about which images come."""
    steps = [str(step) for step in parse(spec)]
    kept = " | ".join(step for step in steps if not draws(step, epochs)) or "none"
    background = counts.absent[0] + counts.present[0] - sum(counts.present)
    pixels = [
        max(count, 1) for count in (background, *counts.present)
    ]  # of a class that no training image has nothing is learnt
    positive = classes[0] if len(classes) == 1 else None
    with warnings.catch_warnings():
        if kept != spec:
            warnings.simplefilter("ignore", DoubleCorrectionWarning)  # told of the whole chain
        return make(kept, pixels, (BACKGROUND_NAME, *classes), positive, epochs=epochs)
