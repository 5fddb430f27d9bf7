"""The MultiBox loss: which class each default box answers for, and how far its object's box lies from it.

loss = (sum of the loss of classes + sum of the smooth L1 loss of offsets) / matched default boxes (Liu et al. 2016, eq. 1)

Background default boxes outnumber objects a thousand to one. With `ratio` only the hardest of each image count, that many for
each matched one (3 in the paper). Without it all count, for losses under which those told well hardly do, as the focal loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, smooth_l1_loss

from .encoding import BACKGROUND, DEFAULT, LOGITS, OFFSETS, match

__all__ = ["MultiBox"]


@dataclass(frozen=True)
class MultiBox:
    """Answers (N, A, 8 + 1 + K) and boxes (N, M, 5) in, the loss out.

    `of_classes(logits, classes, progress)` is the mean loss of some default boxes, by default cross-entropy. The whole is divided by
    the matched default boxes of the batch, where an image without objects counts as one with a matched box, among its negatives
    too; `summed` adds a tensor up over the processes that share the batch.
    """

    of_classes: Callable[[Tensor, Tensor, float], Tensor] | None = None
    ratio: float | None = 3.0
    summed: Callable[[Tensor], Tensor] = lambda own: own

    def __call__(self, answers_NAC: Tensor, boxes_NM5: Tensor, progress: float = 0.0) -> Tensor:
        answers_NAC = answers_NAC.float()
        pairs = [match(boxes_M5, answers_NAC[0, :, DEFAULT]) for boxes_M5 in boxes_NM5]
        told_NA, offsets_NA4 = (torch.stack(each) for each in zip(*pairs, strict=True))
        logits_NAC, positive_NA = answers_NAC[..., LOGITS], told_NA > BACKGROUND
        counted_NA = positive_NA | self._negatives(logits_NAC.detach(), told_NA)
        logits_DC, told_D = logits_NAC[counted_NA], told_NA[counted_NA]
        if self.of_classes is None or not len(told_D):
            classes = cross_entropy(logits_DC, told_D, reduction="sum")
        else:
            classes = self.of_classes(logits_DC, told_D, progress) * len(told_D)
        places = smooth_l1_loss(answers_NAC[..., OFFSETS][positive_NA], offsets_NA4[positive_NA], reduction="sum")
        own = torch.stack(
            [positive_NA.sum(1).clamp(min=1).sum(), positive_NA.new_tensor(len(told_NA), dtype=torch.long)]
        )
        matched, images = self.summed(own.to(answers_NAC.dtype)).detach().unbind()
        return (classes + places) / matched * images / len(told_NA)

    def _negatives(self, logits_NAC: Tensor, told_NA: Tensor) -> Tensor:
        """The background default boxes that count."""
        background_NA = told_NA == BACKGROUND
        if self.ratio is None:
            return background_NA
        surprise_NA = -torch.log_softmax(logits_NAC, 2)[..., BACKGROUND]
        wanted_N = ((told_NA > BACKGROUND).sum(1).clamp(min=1) * self.ratio).round().long()
        wanted_N = torch.minimum(wanted_N, background_NA.sum(1))
        order_NA = surprise_NA.masked_fill(~background_NA, -1.0).argsort(dim=1, descending=True, stable=True)
        first_NA = torch.arange(told_NA.shape[1], device=told_NA.device) < wanted_N[:, None]
        return torch.zeros_like(background_NA).scatter(1, order_NA, first_NA)
