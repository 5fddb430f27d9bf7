"""Dice loss: how little what is called and what is true of a class overlap, whatever the background's share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from ._balance import Balance

__all__ = ["SMOOTH", "dice", "dice_cross_entropy", "dice_loss"]

SMOOTH = 1e-5  # as MONAI has it; of what is neither called nor there the loss is 0


def dice(class_counts: NDArray[np.int64]) -> Balance:
    """1 - 2 TP / (2 TP + FP + FN) of the soft counts of a batch, the mean over the classes but the background
    (Milletari, Navab & Ahmadi 2016). Of masks alone. What it leads to are no probabilities: calibration alone makes them so.

    >>> dice(np.array([900, 100])).posterior
    False
    """
    return Balance(region=dice_loss, posterior=False)


def dice_cross_entropy(class_counts: NDArray[np.int64]) -> Balance:
    """The sum of Dice loss and cross-entropy (Isensee et al. 2021): the overlap, with a gradient from every pixel.

    >>> balance = dice_cross_entropy(np.array([900, 100]))
    >>> balance.loss is not None and balance.region is dice_loss
    True
    """

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        return cross_entropy(logits_NK, targets)

    return Balance(loss=loss, region=dice_loss, posterior=False)


def dice_loss(tp_K: Tensor, fp_K: Tensor, fn_K: Tensor) -> Tensor:
    """From the soft counts of each class but the background: sums of p t, p (1 - t) and (1 - p) t over the pixels.

    >>> import torch
    >>> dice_loss(*(torch.tensor([count]) for count in (6.0, 2.0, 2.0))).round(decimals=4)
    tensor(0.2500)
    """
    return 1 - ((2 * tp_K + SMOOTH) / (2 * tp_K + fp_K + fn_K + SMOOTH)).mean()
