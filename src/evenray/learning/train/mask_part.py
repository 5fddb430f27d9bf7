"""Examples with masks: changed by one turn together, cut to patches where images are larger than the network, and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.marks import BACKGROUND, OUTSIDE_PIXEL, UNKNOWN_PIXEL
from evenray.learning.augment import Chance, augment_masks
from evenray.learning.networks import Classifier
from evenray.learning.windows import map_logits
from evenray.metrics.pixel_bins import BINS, REACH, STEP

from .part import Part, Views, anywhere

__all__ = ["MaskPart", "log_odds", "pixel_counts"]


@dataclass(frozen=True)
class MaskPart(Part):
    """Rows of a store with their masks. `targets` say what share of each image each class has, the background first."""

    settle_on: int = 128  # every place of every map counts: of 416 images of 128 pixels the Dice was the same to .001
    settle_by: int = 8

    def answers(self, which: NDArray[np.int64], device: torch.device) -> Tensor:
        """The class of every pixel, uint8 (n, H, W); 255 where it is unknown. Outside the images it is the background."""
        return self._masks(which, BACKGROUND).to(device)

    def changed(self, x: Tensor, answers: Tensor, chance: Chance, views: Views) -> tuple[Tensor, Tensor]:
        if max(x.shape[-2:]) <= views.size:
            return augment_masks(x, answers, chance, flips=views.flips)
        centres = _centres(answers, chance, views.foreground)
        return augment_masks(x, answers, chance, flips=views.flips, size=views.size, centres_N2=centres)

    def plain(self, x: Tensor, chance: Chance, views: Views) -> Tensor:
        return anywhere(x, views.size, chance)

    def logits(self, model: Classifier, x: Tensor, tta: str) -> Tensor:
        return map_logits(model, x, tta)

    def told(self, which: NDArray[np.int64], logits: Tensor) -> NDArray[Any]:
        """The pixels of each image counted by class, truth and log-odds: uint32 (n, K, 2, BINS)."""
        return pixel_counts(logits, self._masks(which, UNKNOWN_PIXEL))

    def _masks(self, which: NDArray[np.int64], outside: int) -> Tensor:
        masks = self.store.masks(self.rows[which])
        return torch.from_numpy(np.where(masks == OUTSIDE_PIXEL, np.uint8(outside), masks))


def _centres(classes_NHW: Tensor, chance: Chance, foreground: float | None) -> Tensor:
    """Where patches lie, (N, 2) from 0 to 1: anywhere, or for a share of them about a pixel of a class that the image has."""
    drawn = chance.uniform(19)[:, 14:]
    centres = drawn[:, :2].clone()
    for i in torch.nonzero(drawn[:, 2] < (foreground or 0.0)).flatten().tolist():
        classes = classes_NHW[i].cpu()
        present = [int(k) for k in torch.unique(classes) if 0 < k < UNKNOWN_PIXEL]
        if not present:
            continue
        places = torch.nonzero(classes == present[int(drawn[i, 3] * len(present))])
        centres[i] = (places[int(drawn[i, 4] * len(places))] + 0.5) / torch.tensor(classes.shape)
    return centres


def log_odds(logits_NKHW: Tensor) -> Tensor:
    """log p / (1 - p) of every class but the background against all others, (N, K - 1, H, W).

    >>> log_odds(torch.tensor([0.5, 2.0]).view(1, 2, 1, 1)).item()
    1.5
    """
    if logits_NKHW.shape[1] == 2:
        return logits_NKHW[:, 1:] - logits_NKHW[:, :1]
    K = logits_NKHW.shape[1]
    rest = [torch.cat([logits_NKHW[:, :k], logits_NKHW[:, k + 1 :]], 1).logsumexp(1) for k in range(1, K)]
    return logits_NKHW[:, 1:] - torch.stack(rest, 1)


def pixel_counts(logits_NKHW: Tensor, classes_NHW: Tensor) -> NDArray[np.uint32]:
    """Known pixels of each image by class, by whether they are of it, and by bin of the log-odds: uint32 (N, K - 1, 2, BINS)."""
    bins = ((log_odds(logits_NKHW) + REACH) / STEP).floor().clamp(0, BINS - 1).to(torch.int64).cpu()
    classes = classes_NHW.cpu().to(torch.int64)
    found = np.empty((*bins.shape[:2], 2, BINS), np.uint32)
    for i, own in enumerate(bins):
        known = classes[i] != UNKNOWN_PIXEL
        for k, place in enumerate(own):
            key = (classes[i] == k + 1).to(torch.int64) * BINS + place
            found[i, k] = torch.bincount(key[known], minlength=2 * BINS).view(2, BINS).numpy()
    return found
