"""Weight balance: a larger loss for the classes that matter."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenray.core.errors import UsageError

from ._balance import Balance

__all__ = ["effective_number", "weighted", "weighted_cross_entropy"]

Scheme = Literal["auto", "inverse", "sqrt", "effective"]
Positive = Annotated[float, Gt(0)]


def weighted(
    class_counts: NDArray[np.int64],
    alpha: Annotated[float, Gt(0), Lt(1)] | Scheme = "auto",
    *,
    beta: Annotated[float, Ge(0), Lt(1)] = 0.999,
    weights: dict[str, Positive] | None = None,
    positive: str | None = None,
    classes: tuple[str, ...] = (),
    **by_class: Positive,
) -> Balance:
    """Cross-entropy in which a case counts as much as its class weighs.

    With two classes, `alpha` is the weight of the positive class and 1 - alpha that of the other:
    loss = -(alpha t log y + (1 - alpha)(1 - t) log(1 - y)). `auto` (or `inverse`) weighs by 1 / count, `sqrt` by its
    square root, `effective` by the effective number of samples at `beta` (Cui et al. 2019). Weights by class name:
    `weighted(sick=0.75, healthy=0.25)`, or `weighted(weights={'no finding': 1, 'sick': 3})`.

    Only the ratios of the weights matter: they are scaled so that the average training case weighs one, and the
    learning rate keeps its meaning. The learnt prior is proportional to weight times count.

    >>> balance = weighted(np.array([500, 1]))
    >>> balance.prior
    array([0.5, 0.5])
    """
    named = {**(weights or {}), **by_class}
    if named:
        values = _named(named, classes)
    elif isinstance(alpha, str):
        values = _scheme(alpha, class_counts, beta)
    else:
        values = _alpha(alpha, classes, positive, len(class_counts))
    share = class_counts / class_counts.sum()
    scaled = values / (values * share).sum()
    weights_K = torch.tensor(scaled, dtype=torch.float32)

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        return weighted_cross_entropy(logits_NK, targets, weights_K)

    return Balance(loss=loss, prior=scaled * share)


def weighted_cross_entropy(logits_NK: Tensor, targets: Tensor, weights_K: Tensor) -> Tensor:
    """The mean over the batch of weight x cross-entropy; targets are int64 (N,) or soft (N, K).

    The divisor is the number of cases. torch's own mean divides by the sum of the batch's weights, which undoes the
    weights in batches of a single class.

    >>> logits = torch.tensor([[0.25, 0.75]]).log()
    >>> weights = torch.tensor([0.25, 0.75])  # the slide: 75 % for the sick, class 1, and 25 % for the healthy
    >>> [round(weighted_cross_entropy(logits, torch.tensor([t]), weights).item(), 4) for t in (0, 1)]
    [0.3466, 0.2158]
    """
    weights = weights_K.to(logits_NK)
    return cross_entropy(logits_NK, targets, weights, reduction="sum") / max(len(logits_NK), 1)


def effective_number(class_counts: NDArray[np.int64], beta: float) -> NDArray[np.float64]:
    """(1 - beta^n) / (1 - beta), the effective number of samples of a class with n (Cui et al. 2019, proposition 1).

    >>> effective_number(np.array([1, 10_000]), 0.99).round(3)
    array([  1., 100.])
    """
    number: NDArray[np.float64] = (
        -np.expm1(class_counts * np.log(beta)) / (1 - beta) if beta else np.ones(len(class_counts))
    )
    return number


def _scheme(name: str, counts: NDArray[np.int64], beta: float) -> NDArray[np.float64]:
    if name == "effective":
        return 1 / effective_number(counts, beta)
    if name == "sqrt":
        return np.asarray(1 / np.sqrt(counts))
    return np.asarray(1 / counts)


def _alpha(alpha: float, classes: tuple[str, ...], positive: str | None, K: int) -> NDArray[np.float64]:
    if K != 2:
        raise UsageError(
            f"alpha is {alpha}, which is for two classes, but there are {K}; give each a weight: weighted(a=2, b=1)."
        )
    index = classes.index(positive) if positive in classes else 1
    return np.where(np.arange(2) == index, alpha, 1 - alpha)


def _named(named: dict[str, float], classes: tuple[str, ...]) -> NDArray[np.float64]:
    wrong = [name for name in named if name not in classes] + [name for name in classes if name not in named]
    if wrong:
        raise UsageError(
            f"The weights are for {', '.join(named)}, but the classes are {', '.join(classes)}; give each class one."
        )
    return np.array([named[name] for name in classes])
