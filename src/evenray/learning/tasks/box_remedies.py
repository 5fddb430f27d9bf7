"""What a remedy is for boxes: how default boxes are weighed against each other, and which images come how often.

Default boxes stand in place of cases, background in place of one more class. Most of them are nothing: unless the loss is one that
hardly counts what is told well (focal), only the hardest few of an image are learnt from (evenray.learning.boxes.multibox), and
class counts are those of what is learnt from. Images are drawn by the rarest class that they have an object of.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.errors import UsageError
from evenray.core.spec import parse
from evenray.learning.balance import Balance, DoubleCorrectionWarning, make
from evenray.learning.boxes.multibox import MultiBox

from .sampling import draws, sampling

__all__ = ["box_balance", "box_loss", "check_box_remedy"]

RATIO = 3.0
FOREGROUND = 0.5  # the share of patches that hold an object for sure: a patch anywhere seldom has one of a few
OF_ALL = ("focal", "class_balanced_focal")
KNOWN = (
    "none", "weighted", *OF_ALL, "logit_adjustment", "hard_negatives", "foreground_patches", "oversample", "undersample", "progressive", "double",
)  # fmt: skip
BACKGROUND = "background"
Ints = NDArray[np.int64]


def check_box_remedy(spec: str) -> None:
    """UsageError where a step of a chain is none for boxes."""
    for step in parse(spec):
        if step.name not in KNOWN:
            raise UsageError(f"{step} is no remedy for boxes; give {', '.join(KNOWN[:-1])} or {KNOWN[-1]}.")


def box_balance(spec: str, objects_NK: Ints, classes: tuple[str, ...], *, epochs: int) -> Balance:
    """The remedy of a spec for training images with so many objects of each class, int64 (N, K)."""
    check_box_remedy(spec)
    drawing, _ = sampling(spec, (objects_NK > 0).astype(np.int64), epochs)
    sampler = drawing.sampler

    def sampled(targets_N: Ints, *, batch: int, seed: int, epoch: int) -> Ints:
        assert sampler is not None
        return sampler((targets_N > 0).astype(np.int64), batch=batch, seed=seed, epoch=epoch)

    names = [step.name for step in parse(spec)]
    steps = " | ".join(str(step) for step in parse(spec) if not draws(str(step), epochs)) or "none"
    counts = np.maximum(objects_NK.sum(axis=0), 1)
    chosen = make(steps, [int(RATIO * counts.sum()), *counts], (BACKGROUND, *classes), epochs=epochs)
    if drawing.sampler is not None and chosen.prior is not None and "double" not in names:
        warnings.warn(
            f"{spec} weighs classes and draws images by them, so the rare ones count twice. Keep one, or add '| double' to the"
            " chain if you mean it.", DoubleCorrectionWarning, stacklevel=2,
        )  # fmt: skip
    ratio = chosen.hard_negatives
    if ratio is None and not set(names) & set(OF_ALL):
        ratio = RATIO
    return Balance(
        loss=chosen.loss, sampler=None if sampler is None else sampled, hard_negatives=ratio, constant_from=drawing.constant_from,
        foreground=FOREGROUND if chosen.foreground is None else chosen.foreground,
    )  # fmt: skip


def box_loss(
    balance: Balance, summed: Callable[[Tensor], Tensor] = lambda own: own
) -> Callable[[Tensor, Tensor, float], Tensor]:
    """The MultiBox loss of a remedy that `box_balance` made."""
    return MultiBox(balance.loss, balance.hard_negatives, summed)
