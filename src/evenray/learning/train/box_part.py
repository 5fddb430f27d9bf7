"""Images with boxes to learn from: moved together in training, and what a detector finds in them kept beside what is there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.learning.augment import Chance, moved, relit, resized
from evenray.learning.box_windows import LARGE, box_answers
from evenray.learning.boxes.decoding import decode, kept_in
from evenray.learning.boxes.moving import drawn_affine, moved_boxes
from evenray.learning.boxes.multibox import MultiBox
from evenray.learning.boxes.told import told
from evenray.learning.networks import Classifier

from .part import Part, Views, anywhere

__all__ = ["BoxPart"]

WHOLE = 0.25  # the share of looks at the whole image, where it has objects that no window sees whole


@dataclass(frozen=True)
class BoxPart(Part):
    """Rows of a store with the boxes of each. `targets` count the objects of each class."""

    settle_on: int = 128
    settle_by: int = 16

    @cached_property
    def most(self) -> int:
        """The boxes of the image that has most, at least one."""
        return max([1, *(len(boxes) for boxes in self.store.boxes(self.rows))])

    @property
    def side(self) -> int:
        return int(self.store[self.rows[:1]].shape[1])

    def answers(self, which: NDArray[np.int64], device: torch.device) -> Tensor:
        """float32 (n, M, 5), see evenray.learning.boxes."""
        found = np.full((len(which), self.most, 5), np.nan, np.float32)
        for row, boxes in zip(found, self.store.boxes(self.rows[which]), strict=True):
            row[: len(boxes)] = boxes
        found[..., 1:] /= self.side
        return torch.from_numpy(found).to(device)

    def changed(self, x: Tensor, answers: Tensor, chance: Chance, views: Views) -> tuple[Tensor, Tensor]:
        """Moved images; where they are larger than the network patches of them, a share about an object, and some as a whole."""
        drawn, size = chance.uniform(21)[:, 9:], views.size  # the numbers before are those of relit
        theta = drawn_affine(drawn, flips=views.flips)
        if x.shape[-1] <= size:
            return relit(moved(x, theta), chance), moved_boxes(answers, theta)
        whole = drawn[:, 11] < (WHOLE if self._has_larger(LARGE * size) else 0.0)
        patches = _of_patches(theta, size / x.shape[-1], answers, drawn[:, 6:11], views.foreground)
        theta = torch.where(whole[:, None, None], theta, patches)
        found = x.new_empty(len(x), x.shape[1], size, size)
        for chosen, shown in ((~whole, lambda own: own), (whole, lambda own: resized(own, size))):
            if chosen.any():
                found[chosen] = moved(shown(x[chosen]), theta[chosen], (size, size))
        return relit(found, chance), moved_boxes(answers, theta)

    def plain(self, x: Tensor, chance: Chance, views: Views) -> Tensor:
        return anywhere(x, views.size, chance)

    def logits(self, model: Classifier, x: Tensor, tta: str) -> Tensor:
        return box_answers(model, x, tta)

    def _has_larger(self, pixels: float) -> bool:
        """Whether any object has a longer side, in pixels of the store."""
        return self._longest > pixels

    @cached_property
    def _longest(self) -> float:
        every = np.concatenate([np.zeros((1, 5), np.float32), *self.store.boxes(self.rows)])
        return float((every[:, 3:] - every[:, 1:3]).max())

    def told(self, which: NDArray[np.int64], logits: Tensor) -> NDArray[Any]:
        """See evenray.learning.boxes.told; what remains of windows has no loss."""
        answers, losses = self.answers(which, logits.device), None
        if not logits.isnan().any():
            losses = [float(MultiBox()(logits[i : i + 1], answers[i : i + 1])) for i in range(len(which))]
        return told(decode(logits, kept_in(self.side)), answers.double().cpu().numpy(), self.side, losses)


def _of_patches(
    theta_N23: Tensor, share: float, answers_NM5: Tensor, drawn_N5: Tensor, foreground: float | None
) -> Tensor:
    """The same zoom and mirror of patches, which are `share` of the side, float32 (N, 2, 3). They lie anywhere, or a share of them so
    that an object lies anywhere in them, one of any class of the image as likely as of another."""
    patches_N23 = theta_N23 * share
    shown_N2 = patches_N23.diagonal(dim1=1, dim2=2).abs()
    middle_N2 = drawn_N5[:, :2].clone()
    for i in torch.nonzero(drawn_N5[:, 2] < (foreground or 0.0)).flatten().tolist():
        objects_O5 = answers_NM5[i][answers_NM5[i, :, 0] >= 0].cpu()
        if not len(objects_O5):
            continue
        classes = torch.unique(objects_O5[:, 0])
        own_O5 = objects_O5[objects_O5[:, 0] == classes[int(drawn_N5[i, 3] * len(classes))]]
        box = own_O5[int(drawn_N5[i, 4] * len(own_O5)), 1:]
        room = (shown_N2[i] - (box[2:] - box[:2])).clamp(min=0)
        middle_N2[i] = (box[:2] + box[2:]) / 2 + (drawn_N5[i, :2] - 0.5) * room
    edge_N2 = (1 - shown_N2).clamp(min=0)
    patches_N23[..., 2] = (middle_N2 * 2 - 1).clamp(-edge_N2, edge_N2)
    return patches_N23
