"""Weight balance: a larger loss for the classes that matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from ._balance import Balance
from ._weights import Scheme, alpha_weights, by_scheme, named_weights, scaled

__all__ = ["weighted", "weighted_cross_entropy"]

Positive = Annotated[float, Gt(0)]


def weighted(
    class_counts: NDArray[np.int64],
    alpha: Annotated[float, Gt(0), Lt(1)] | Scheme = "auto",
    *,
    beta: Annotated[float, Ge(0), Lt(1)] = 0.999,
    class_weights: dict[str, Positive] | None = None,
    positive: str | None = None,
    classes: tuple[str, ...] = (),
    **by_class: Positive,
) -> Balance:
    """Cross-entropy in which a case counts as much as its class weighs.

    With two classes, `alpha` is the weight of the positive class and 1 - alpha that of the other:
    loss = -(alpha t log y + (1 - alpha)(1 - t) log(1 - y)). `auto` (or `inverse`) weighs by 1 / count, `sqrt` by its
    square root, `effective` by 1 / the effective number of samples at `beta` (Cui et al. 2019). Weights by class name:
    `weighted(sick=0.75, healthy=0.25)`, or `weighted(class_weights={'no finding': 1, 'sick': 3})`.

    Only the ratios of the weights matter: they are scaled so that the average training case weighs one, and the
    learning rate keeps its meaning. The learnt prior is proportional to weight times count.

    >>> weighted(np.array([500, 1])).prior
    array([0.5, 0.5])
    """
    named = {**(class_weights or {}), **by_class}
    if named:
        chosen = named_weights(named, classes)
    elif isinstance(alpha, str):
        chosen = by_scheme(alpha, class_counts, beta)
    else:
        chosen = alpha_weights(alpha, classes, positive, class_counts)
    values = scaled(chosen, class_counts)
    mean_loss = weighted_cross_entropy(torch.tensor(values, dtype=torch.float32))

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        return mean_loss(logits_NK, targets)

    return Balance(loss=loss, prior=values * class_counts / class_counts.sum())


def weighted_cross_entropy(weights_K: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss (logits_NK, targets) -> mean of weight x cross-entropy; targets are int64 (N,) or soft (N, K).

    The divisor is the number of cases. torch's own mean divides by the sum of the batch's weights, which undoes the
    weights in a batch of a single class.

    >>> loss = weighted_cross_entropy(torch.tensor([0.25, 0.75]))  # the slide: 75 % for sick, 25 % for healthy
    >>> logits = torch.tensor([[0.25, 0.75]]).log()
    >>> [round(loss(logits, torch.tensor([t])).item(), 4) for t in (0, 1)]
    [0.3466, 0.2158]
    """

    def loss(logits_NK: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(logits_NK, targets, weights_K.to(logits_NK) / max(len(logits_NK), 1), reduction="sum")

    return loss
