"""Images with boxes to learn from: moved together in training, and what a detector finds in them kept beside what is there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.errors import UsageError
from evenray.learning.augment import Chance, moved, relit
from evenray.learning.boxes.decoding import decode
from evenray.learning.boxes.moving import drawn_affine, moved_boxes
from evenray.learning.boxes.multibox import MultiBox
from evenray.learning.boxes.told import told
from evenray.learning.networks import Classifier

from .part import Part, Views

__all__ = ["BoxPart"]


@dataclass(frozen=True)
class BoxPart(Part):
    """Rows of a store with the boxes of each. `targets` count the objects of each class."""

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
        theta = drawn_affine(chance.uniform(15)[:, 9:], flips=views.flips)  # the numbers before are those of relit
        return relit(moved(x, theta), chance), moved_boxes(answers, theta)

    def logits(self, model: Classifier, x: Tensor, tta: str) -> Tensor:
        if tta != "centre":
            raise UsageError(
                f"Boxes are looked for in the image as it is, and the test-time augmentation is {tta}; leave it out."
            )
        answers: Tensor = model(x)
        return answers

    def told(self, which: NDArray[np.int64], logits: Tensor) -> NDArray[Any]:
        """See evenray.learning.boxes.told."""
        answers = self.answers(which, logits.device)
        losses = [float(MultiBox()(logits[i : i + 1], answers[i : i + 1])) for i in range(len(which))]
        return told(decode(logits), answers.double().cpu().numpy(), self.side, losses)
