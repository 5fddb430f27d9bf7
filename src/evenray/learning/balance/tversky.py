"""Tversky loss: Dice loss in which what is missed and what is called for nothing count differently."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from torch import Tensor

from ._balance import Balance
from .dice import SMOOTH

__all__ = ["focal_tversky", "tversky", "tversky_index"]

Share = Annotated[float, Ge(0), Le(1)]


def tversky(class_counts: NDArray[np.int64], alpha: Share = 0.3, beta: Share = 0.7) -> Balance:
    """1 - TP / (TP + alpha FP + beta FN) of the soft counts of a batch, the mean over the classes but the background
    (Salehi, Erdogmus & Gholipour 2017); both 0.5 are Dice loss. A larger `beta` misses less. Of masks alone; no probabilities
    but by calibration.

    >>> tversky(np.array([900, 100])).posterior
    False
    """

    def loss(tp_K: Tensor, fp_K: Tensor, fn_K: Tensor) -> Tensor:
        return 1 - tversky_index(tp_K, fp_K, fn_K, alpha, beta).mean()

    return Balance(region=loss, posterior=False)


def focal_tversky(
    class_counts: NDArray[np.int64], alpha: Share = 0.3, beta: Share = 0.7, gamma: Annotated[float, Gt(0)] = 4 / 3
) -> Balance:
    """(1 - Tversky index)^(1 / gamma) of each class (Abraham & Khan 2019): classes that overlap well count less.

    Of masks alone; no probabilities but by calibration.

    >>> focal_tversky(np.array([900, 100])).region is not None
    True
    """

    def loss(tp_K: Tensor, fp_K: Tensor, fn_K: Tensor) -> Tensor:
        missing = 1 - tversky_index(tp_K, fp_K, fn_K, alpha, beta)
        return missing.clamp_min(1e-7).pow(1 / gamma).mean()  # the slope at nothing missing is infinite

    return Balance(region=loss, posterior=False)


def tversky_index(tp_K: Tensor, fp_K: Tensor, fn_K: Tensor, alpha: float, beta: float) -> Tensor:
    """
    >>> import torch
    >>> tversky_index(*(torch.tensor([count]) for count in (6.0, 2.0, 2.0)), 0.5, 0.5).round(decimals=4)
    tensor([0.7500])
    """
    return (tp_K + SMOOTH) / (tp_K + alpha * fp_K + beta * fn_K + SMOOTH)
