"""Remedies for class imbalance: one small file each, named by a spec such as `oversample | focal(gamma=2)`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenray.core.errors import DataError, UsageError
from evenray.core.registry import Registry
from evenray.core.spec import Step, parse

from ._balance import Balance, DoubleCorrectionWarning, Sampler, correct
from .thinning import parse_ratio, thin

__all__ = [
    "Balance",
    "DoubleCorrectionWarning",
    "Sampler",
    "balances",
    "correct",
    "make",
    "parse_ratio",
    "thin",
]

balances = Registry(
    "balance",
    {
        "none": "evenray.learning.balance.none:none",
        "weighted": "evenray.learning.balance.weighted:weighted",
        "oversample": "evenray.learning.balance.oversample:oversample",
        "undersample": "evenray.learning.balance.undersample:undersample",
        "progressive": "evenray.learning.balance.progressive:progressive",
        "oversample_augmented": "evenray.learning.balance.oversample_augmented:oversample_augmented",
        "minority_mixup": "evenray.learning.balance.minority_mixup:minority_mixup",
        "focal": "evenray.learning.balance.focal:focal",
        "class_balanced_focal": "evenray.learning.balance.class_balanced_focal:class_balanced_focal",
        "logit_adjustment": "evenray.learning.balance.logit_adjustment:logit_adjustment",
        "ldam": "evenray.learning.balance.ldam:ldam",
        "threshold": "evenray.learning.balance.threshold:threshold",
        "dice": "evenray.learning.balance.dice:dice",
        "dice_cross_entropy": "evenray.learning.balance.dice:dice_cross_entropy",
        "tversky": "evenray.learning.balance.tversky:tversky",
        "focal_tversky": "evenray.learning.balance.tversky:focal_tversky",
        "foreground_patches": "evenray.learning.balance.patches:foreground_patches",
        "hard_negatives": "evenray.learning.balance.hard_negatives:hard_negatives",
        "double": "evenray.learning.balance.double:double",
    },
    context=1,
)


def make(
    spec: str, class_counts: ArrayLike, classes: Sequence[str], positive: str | None = None, *, epochs: int = 10
) -> Balance:
    """The remedy that `spec` names, for a training part of `class_counts` cases (int (K,), in the order of `classes`)
    that is gone through `epochs` times.

    A chain fills the parts of one Balance: `undersample | focal(gamma=2)`. `positive` is the class that alpha is for
    (default: the rarest). Raises UsageError for an unknown name or parameter and for two steps that fill the same
    part, DataError for a class without cases; warns with DoubleCorrectionWarning where two steps bend the prior.

    >>> make("weighted(sick=0.75, healthy=0.25)", [500, 1], ["healthy", "sick"]).prior.round(4)
    array([0.994, 0.006])
    """
    counts = _counts(class_counts, classes)
    rarest = classes[int(counts.argmin())]
    if positive is not None and positive not in classes:
        raise UsageError(f"positive is '{positive}', which is no class; the classes are {', '.join(classes)}.")
    steps = parse(spec)
    known = {"classes": tuple(classes), "positive": positive or rarest, "epochs": epochs}
    made = [_bind(step, known)(counts) for step in steps]
    combined = _combine(steps, made, counts)
    _warn_of_double_correction(steps, made)
    return combined


def _counts(class_counts: ArrayLike, classes: Sequence[str]) -> NDArray[np.int64]:
    counts = np.asarray(class_counts, dtype=np.int64)
    if counts.shape != (len(classes),):
        raise UsageError(f"class_counts has shape {counts.shape}; expected one count for each of {', '.join(classes)}.")
    absent = [name for name, count in zip(classes, counts, strict=True) if count <= 0]
    if absent:
        raise DataError(
            f"The training part has no case of {', '.join(absent)}; a class without cases cannot be balanced or learnt."
            " Add cases, drop the class, or split again."
        )
    return counts


def _bind(step: Step, known: dict[str, Any]) -> Any:
    """The function of a step; what is known that it takes and on which the spec is silent is filled in."""
    function = balances.bind(step)
    given = function.keywords if isinstance(function, partial) else {}
    wanted = [name for name in known if name in balances.parameters(step.name) and name not in given]
    return partial(function, **{name: known[name] for name in wanted})


def _warn_of_double_correction(steps: Sequence[Step], made: Sequence[Balance]) -> None:
    bent = [str(step) for step, balance in zip(steps, made, strict=True) if balance.prior is not None]
    if len(bent) > 1 and not any(step.name == "double" for step in steps):
        warnings.warn(
            f"{' and '.join(bent)} each correct for the imbalance, so together they correct twice. Keep one,"
            " or add '| double' to the chain if you mean it.",
            DoubleCorrectionWarning,
            stacklevel=3,
        )


def _combine(steps: Sequence[Step], made: Sequence[Balance], counts: NDArray[np.int64]) -> Balance:
    parts: dict[str, Any] = {}
    owner: dict[str, Step] = {}
    for step, balance in zip(steps, made, strict=True):
        for part in (field.name for field in fields(Balance) if field.name != "prior"):
            value = getattr(balance, part)
            if value is not None and part in parts and value != parts[part]:
                raise UsageError(f"{owner[part]} and {step} both set the {part}; keep one of them.")
            if value is not None:
                parts[part], owner[part] = value, step
    priors = [balance.prior for balance in made if balance.prior is not None]
    if not priors:
        return Balance(**parts)
    data_prior = counts / counts.sum()
    learnt = data_prior * np.prod([prior / data_prior for prior in priors], axis=0)
    return Balance(**parts, prior=learnt / learnt.sum())
