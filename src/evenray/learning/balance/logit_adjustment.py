"""Logit adjustment: the class prior is added to the logits while training, so that the network learns without it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from ._balance import Balance

__all__ = ["logit_adjustment"]


def logit_adjustment(class_counts: NDArray[np.int64], tau: Annotated[float, Ge(0)] = 1.0) -> Balance:
    """Cross-entropy of logits + tau log prior (Menon et al. 2021, eq. 10).

    The logits themselves then tell the classes apart as if each were frequent as prior^(1 - tau): at tau = 1 all alike.

    >>> logit_adjustment(np.array([99, 1])).prior
    array([0.5, 0.5])
    """
    share = class_counts / class_counts.sum()
    shift_K = torch.tensor(tau * np.log(share * len(share)), dtype=torch.float32)
    learnt = share ** (1 - tau)

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        return cross_entropy(logits_NK + shift_K.to(logits_NK), targets)

    return Balance(loss=loss, prior=learnt / learnt.sum())
