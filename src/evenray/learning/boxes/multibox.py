"""The MultiBox loss: which class each default box answers for, and how far its object's box lies from it.

loss = (sum of the loss of classes + sum of the smooth L1 loss of offsets) / matched default boxes (Liu et al. 2016, eq. 1)

Background default boxes outnumber objects a thousand to one. With `ratio` only the hardest of each image count, that many for
each matched one (3 in the paper); with `gamma` all count, those told well hardly at all (focal loss; Lin et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, smooth_l1_loss

from .encoding import BACKGROUND, match

__all__ = ["MultiBox"]


@dataclass(frozen=True)
class MultiBox:
    """Answers (N, A, 4 + 1 + K) and boxes (N, M, 5) in, the loss out; `defaults` (A, 4) are the default boxes.

    `ratio` is hard negatives for each matched default box, None for all; an image without objects counts as one with a matched
    box. `gamma` is that of the focal loss; `background` and `weights` (K,) are how much background and each class count.
    `matched` is the number of matched default boxes that an image has on average. Batches are divided by that and not by their
    own number, so that a box counts alike in whichever batch it comes, and the parts of a batch that processes share add up.
    """

    defaults: Tensor
    matched: float
    ratio: float | None = 3.0
    gamma: float = 0.0
    background: float = 1.0
    weights: tuple[float, ...] = ()

    def __call__(self, answers_NAC: Tensor, boxes_NM5: Tensor, progress: float = 0.0) -> Tensor:
        answers_NAC, defaults = answers_NAC.float(), self.defaults.to(answers_NAC.device)
        pairs = [match(boxes_M5, defaults) for boxes_M5 in boxes_NM5]
        told_NA, offsets_NA4 = (torch.stack(each) for each in zip(*pairs, strict=True))
        positive_NA = told_NA > BACKGROUND
        surprise_NA = self._surprise(answers_NAC[..., 4:], told_NA)
        counted_NA = positive_NA | self._negatives(surprise_NA.detach(), told_NA)
        place = smooth_l1_loss(answers_NAC[..., :4][positive_NA], offsets_NA4[positive_NA], reduction="sum")
        return (surprise_NA[counted_NA].sum() + place) / (self.matched * len(boxes_NM5))

    def _surprise(self, logits_NAC: Tensor, told_NA: Tensor) -> Tensor:
        wanted_NA = told_NA.clamp(min=BACKGROUND)
        surprise_NA = cross_entropy(logits_NAC.flatten(0, 1), wanted_NA.flatten(), reduction="none").view(told_NA.shape)
        if self.gamma:
            surprise_NA = (-torch.expm1(-surprise_NA)).clamp(min=1e-12) ** self.gamma * surprise_NA
        if self.weights or self.background != 1:
            K = logits_NAC.shape[2] - 1
            weights = torch.tensor([self.background, *(self.weights or (1.0,) * K)], device=logits_NAC.device)
            surprise_NA = surprise_NA * weights[wanted_NA]
        return surprise_NA

    def _negatives(self, surprise_NA: Tensor, told_NA: Tensor) -> Tensor:
        """The background default boxes that count."""
        background_NA = told_NA == BACKGROUND
        if self.ratio is None:
            return background_NA
        wanted_N = ((told_NA > BACKGROUND).sum(1).clamp(min=1) * self.ratio).round().long()
        wanted_N = torch.minimum(wanted_N, background_NA.sum(1))
        order_NA = surprise_NA.masked_fill(~background_NA, -1.0).argsort(dim=1, descending=True, stable=True)
        first_NA = torch.arange(told_NA.shape[1], device=told_NA.device) < wanted_N[:, None]
        return torch.zeros_like(background_NA).scatter(1, order_NA, first_NA)
