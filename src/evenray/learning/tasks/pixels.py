"""The losses of masks: every remedy for classes, with a pixel in place of a case, and those about regions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenray.core.marks import UNKNOWN_PIXEL
from evenray.learning.balance import Balance

__all__ = ["Sum", "pixel_loss", "soft_counts"]

Sum = Callable[[Tensor], Tensor]  # over the processes that share a batch


def pixel_loss(balance: Balance, summed: Sum = lambda own: own) -> Callable[[Tensor, Tensor, float], Tensor]:
    """The loss (logits_NKHW, classes_NHW, progress) of a remedy; pixels of class 255 are unknown and left out.

    The loss of a pixel is divided by the number of all pixels, known or not, so that every pixel counts alike in whichever
    batch it comes. Regions are those of the whole batch: `summed` adds up what several processes have of it.

    >>> loss = pixel_loss(Balance())
    >>> y = torch.tensor([[[0, 1], [255, 255]]])
    >>> loss(torch.zeros(1, 2, 2, 2), y, 0.0)  # half of the pixels have the loss ln 2
    tensor(0.3466)
    """

    def loss(logits_NKHW: Tensor, classes_NHW: Tensor, progress: float) -> Tensor:
        parts = []
        if balance.loss is not None or balance.region is None:
            logits_PK, classes_P = logits_NKHW.movedim(1, -1).flatten(0, 2), classes_NHW.flatten()
            known_P = classes_P != UNKNOWN_PIXEL
            if not bool(known_P.all()):
                logits_PK, classes_P = logits_PK[known_P], classes_P[known_P]
            if len(classes_P):
                share = len(classes_P) / len(known_P)
                own = (
                    balance.loss(logits_PK, classes_P, progress)
                    if balance.loss
                    else cross_entropy(logits_PK, classes_P)
                )
                parts.append(own * share)
        if balance.region is not None:
            parts.append(balance.region(*summed(soft_counts(logits_NKHW, classes_NHW))))
        return torch.stack(parts).sum() if parts else logits_NKHW.sum() * 0

    return loss


def soft_counts(logits_NKHW: Tensor, classes_NHW: Tensor) -> Tensor:
    """Sums over the known pixels of a batch of p t, p (1 - t) and (1 - p) t, for each class but the background: (3, K - 1)."""
    p_NKHW = logits_NKHW.softmax(1)[:, 1:]
    known_N1HW = (classes_NHW != UNKNOWN_PIXEL)[:, None]
    classes = torch.arange(1, logits_NKHW.shape[1], device=classes_NHW.device)[:, None, None]
    t_NKHW = classes_NHW[:, None] == classes
    over = (0, 2, 3)
    hit, said, true = ((kind).sum(over) for kind in (p_NKHW * t_NKHW, p_NKHW * known_N1HW, t_NKHW.to(p_NKHW)))
    return torch.stack([hit, said - hit, true - hit])
