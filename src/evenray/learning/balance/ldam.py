"""LDAM: rarer classes must be told with a larger margin; class weights come late in training."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Le, Lt
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from ._balance import Balance
from ._weights import by_scheme, scaled
from .weighted import weighted_cross_entropy

__all__ = ["ldam"]


def ldam(
    class_counts: NDArray[np.int64],
    margin: Annotated[float, Ge(0)] = 2.0,
    *,
    defer: Annotated[float, Ge(0), Le(1)] = 0.8,
    beta: Annotated[float, Ge(0), Lt(1)] = 0.9999,
) -> Balance:
    """Label-distribution-aware margins proportional to count^(-1/4), `margin` for the rarest class, and deferred
    re-weighting by the effective number of samples from the share `defer` of training on (Cao et al. 2019, eq. 13).

    The margins are in logits: the paper's 0.5 is for cosines that it multiplies by 30, and our heads are not normalised.
    With defer=1 the classes are never weighted. The link takes the margins back out.

    >>> ldam(np.array([500, 1])).prior.round(3)
    array([0.506, 0.494])
    """
    margins = margin * (class_counts.min() / class_counts) ** 0.25
    weights = scaled(by_scheme("effective", class_counts, beta), class_counts)
    margins_KK = torch.diag(torch.tensor(margins, dtype=torch.float32))
    weighted_loss = weighted_cross_entropy(torch.tensor(weights, dtype=torch.float32))

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        taken = margins_KK.to(logits_NK)
        reduced_NK = logits_NK - (taken[targets] if targets.ndim == 1 else targets @ taken)
        return (cross_entropy if defer == 1 or progress < defer else weighted_loss)(reduced_NK, targets)

    prior = weights * class_counts / class_counts.sum() if defer < 1 else None
    return Balance(
        loss=loss,
        prior=prior,
        link=lambda logits_NK: margin_link(logits_NK, margins),
        constant_from=defer if defer < 1 else None,
    )


def margin_link(logits_NK: NDArray[np.float64], margins_K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log posteriors, up to a constant a row, of the logits at which the margin loss is least: float64 (N, K).

    Where the expected gradient vanishes, the posterior is the stationary distribution of the Markov chain whose row y
    is the softmax with class y's margin taken off; found by the elimination of Grassmann, Taksar & Heyman (1985), which
    subtracts nothing and so stays exact for rare classes.

    >>> np.exp(margin_link(np.log([[0.2, 0.8]]), np.array([0.0, 0.0]))).round(3)
    array([[1., 4.]])
    """
    N, K = logits_NK.shape
    reduced = logits_NK[:, None, :] - np.diag(margins_K)
    chain = np.exp(np.maximum(reduced - np.logaddexp.reduce(reduced, axis=2, keepdims=True), -700.0))
    for k in range(K - 1, 0, -1):
        chain[:, :k, k] /= chain[:, k, :k].sum(axis=1, keepdims=True)
        chain[:, :k, :k] += chain[:, :k, k, None] * chain[:, k, None, :k]
    posterior = np.ones((N, K))
    for k in range(1, K):
        posterior[:, k] = (posterior[:, :k] * chain[:, :k, k]).sum(axis=1)
    return np.log(posterior)
