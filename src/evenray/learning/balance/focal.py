"""Focal loss: cases that are already well told count less."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

from ._balance import Balance
from ._weights import alpha_weights, scaled

__all__ = ["focal", "focal_link", "focal_loss"]


def focal(
    class_counts: NDArray[np.int64],
    gamma: Annotated[float, Ge(0)] = 2.0,
    *,
    alpha: Annotated[float, Gt(0), Lt(1)] | None = None,
    positive: str | None = None,
    classes: tuple[str, ...] = (),
) -> Balance:
    """-(1 - p)^gamma log p of the true class's probability p (Lin et al. 2017, eq. 4); gamma 0 is cross-entropy.

    `alpha` weighs the positive class and 1 - alpha the other (eq. 5). The probabilities it leads to are too timid; the
    link turns them into posteriors (Charoenphakdee et al. 2021, theorem 11).

    >>> focal(np.array([500, 1])).prior is None
    True
    """
    if alpha is None:
        return focal_loss(gamma, None, class_counts)
    return focal_loss(gamma, scaled(alpha_weights(alpha, classes, positive, class_counts), class_counts), class_counts)


def focal_loss(gamma: float, weights_K: NDArray[np.float64] | None, class_counts: NDArray[np.int64]) -> Balance:
    """Focal loss with class weights (K,), with its link and the prior that the weights lead to."""
    weights = None if weights_K is None else torch.tensor(weights_K, dtype=torch.float32)

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        hard = targets.ndim == 1
        surprise = cross_entropy(logits_NK, targets, reduction="none") if hard else -log_softmax(logits_NK, dim=1)
        wrong = -torch.expm1(-surprise)
        if gamma < 1:  # the slope of 0^gamma is infinite
            wrong = wrong.clamp_min(1e-12)
        each = wrong**gamma * surprise
        if weights is not None:
            each = each * (weights.to(each)[targets] if hard else weights.to(each))
        return each.mean() if hard else (each * targets).sum(dim=1).mean()

    prior = None if weights_K is None else weights_K * class_counts / (weights_K * class_counts).sum()
    return Balance(loss=loss, prior=prior, link=lambda logits_NK: focal_link(logits_NK, gamma))


def focal_link(logits_NK: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """Log posteriors, up to a constant a row, of the logits at which the focal loss is least: float64 (N, K).

    log v - log phi(v) with phi(v) = (1 - v)^gamma - gamma (1 - v)^(gamma - 1) v log v, v the softmax.

    >>> v = np.exp(focal_link(np.log([[0.3, 0.7]]), gamma=2.0))
    >>> (v / v.sum()).round(3)
    array([[0.094, 0.906]])
    """
    K = logits_NK.shape[1]
    log_v = logits_NK - np.logaddexp.reduce(logits_NK, axis=1, keepdims=True)
    rest = [np.logaddexp.reduce(np.delete(log_v, k, axis=1), axis=1) for k in range(K)]  # log(1 - v), exact near v = 1
    log_rest = np.stack(rest, axis=1)
    v, left = np.exp(log_v), np.exp(log_rest)
    information = np.where(left < 0.5, -np.log1p(-np.minimum(left, 0.5)), -log_v)
    return np.asarray(log_v - (gamma - 1) * log_rest - np.log(left + gamma * v * information))
