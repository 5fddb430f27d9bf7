"""What training and prediction take their inputs from: rows of a store with their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.data.store import Store
from evenray.learning.augment import Chance
from evenray.learning.networks import Classifier
from evenray.learning.tta import tta_logits

__all__ = ["Examples", "Part", "statistics"]

STATISTICS = 2048


class Examples(Protocol):
    """Examples to learn from, of any kind: images (Part), or what a frozen trunk made of them (FeaturePart).

    `targets` are class indices, int64 (n,), or findings, (n, K); `cases` are their names, for messages.
    """

    @property
    def targets(self) -> NDArray[np.int64]: ...
    @property
    def cases(self) -> Sequence[str] | pl.Series: ...
    def __len__(self) -> int: ...

    def inputs(self, which: NDArray[np.int64], device: torch.device, chance: Chance | None = None) -> Tensor:
        """Some examples, float32 (n, ...); with a `chance`, in one of the forms in which they are kept."""

    def module(self, model: Classifier) -> nn.Module:
        """The part of the model that makes logits of such inputs while training."""

    def logits(self, model: Classifier, x: Tensor, tta: str) -> Tensor:
        """Logits (n, K) of inputs, with test-time augmentation."""


@dataclass(frozen=True)
class Part:
    """Rows of a store, int64 (n,), with their targets, int64 (n,) or (n, K); `cases` are their names, for messages."""

    store: Store
    rows: NDArray[np.int64]
    targets: NDArray[np.int64]
    cases: Sequence[str] | pl.Series = ()

    def __len__(self) -> int:
        return len(self.rows)

    def inputs(self, which: NDArray[np.int64], device: torch.device, chance: Chance | None = None) -> Tensor:
        """x_NCHW float32 in 0..1, channels last in memory; every chance finds the same pixels."""
        taken = torch.from_numpy(self.store[self.rows[which]]).to(device).to(torch.float32).div_(self.store.scale)
        x_NHWC = taken[..., None] if taken.ndim == 3 else taken
        return x_NHWC.permute(0, 3, 1, 2)

    def module(self, model: Classifier) -> nn.Module:
        return model

    def logits(self, model: Classifier, x: Tensor, tta: str) -> Tensor:
        return tta_logits(model, x, tta)


def statistics(part: Part) -> tuple[list[float], list[float]]:
    """Mean and standard deviation a channel, in unit levels, of up to 2,048 training images spread over the part."""
    some = np.linspace(0, len(part) - 1, min(len(part), STATISTICS)).astype(np.int64)
    x = part.inputs(some, torch.device("cpu"))
    return x.mean((0, 2, 3)).tolist(), x.std((0, 2, 3)).clamp_min(1e-3).tolist()
