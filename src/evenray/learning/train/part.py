"""What training and prediction take their inputs from: rows of a store with what is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.data.store import Store
from evenray.learning.augment import Chance, augment, scale_jitter
from evenray.learning.networks import Classifier
from evenray.learning.tta import tta_logits

__all__ = ["Examples", "Part", "Views", "anywhere", "statistics"]

STATISTICS = 2048
MOST = 2**28  # pixels that are looked at together for them


@dataclass(frozen=True)
class Views:
    """How training looks at examples: mirrored or not, at the network's `size`, at `scales` (low, high) of it or as they are;
    `foreground` is the share of patches that lie about a pixel of a class, or an object."""

    size: int
    flips: bool = False
    scales: tuple[float, float] | None = None
    foreground: float | None = None


class Examples(Protocol):
    """Examples to learn from, of any kind: images (Part), or what a frozen trunk made of them (FeaturePart).

    `targets` are what samplers draw by: class indices, int64 (n,), or which classes each has, (n, K); `cases` are their names,
    for messages. Batch normalisation is settled on up to `settle_on` of them, `settle_by` at a time.
    """

    @property
    def settle_on(self) -> int: ...

    @property
    def settle_by(self) -> int: ...
    @property
    def targets(self) -> NDArray[np.int64]: ...
    @property
    def cases(self) -> Sequence[str] | pl.Series: ...
    def __len__(self) -> int: ...

    def inputs(self, which: NDArray[np.int64], device: torch.device, chance: Chance | None = None) -> Tensor:
        """Some examples, float32 (n, ...); with a `chance`, in one of the forms in which they are kept."""

    def answers(self, which: NDArray[np.int64], device: torch.device) -> Tensor:
        """What is true of them, as the loss compares outputs with it: (n, ...)."""

    def changed(self, x: Tensor, answers: Tensor, chance: Chance, views: Views) -> tuple[Tensor, Tensor]:
        """Inputs and answers as training sees them, changed together."""

    def plain(self, x: Tensor, chance: Chance, views: Views) -> Tensor:
        """Inputs as training sees them but for augmentation."""

    def module(self, model: Classifier) -> nn.Module:
        """The part of the model that makes logits of such inputs while training."""

    def logits(self, model: Classifier, x: Tensor, tta: str) -> Tensor:
        """Outputs of inputs, with test-time augmentation: (n, ...)."""

    def told(self, which: NDArray[np.int64], logits: Tensor) -> NDArray[Any]:
        """What is kept of the outputs of some examples, (n, ...), for the task to measure and to predict by: logits, float64
        (n, K), where they are few."""


@dataclass(frozen=True)
class Part:
    """Rows of a store, int64 (n,), with their targets, int64 (n,) or (n, K); `cases` are their names, for messages."""

    store: Store
    rows: NDArray[np.int64]
    targets: NDArray[np.int64]
    cases: Sequence[str] | pl.Series = ()
    settle_on: int = 1024
    settle_by: int = 64

    def __len__(self) -> int:
        return len(self.rows)

    def repeated(self, times: int) -> Self:
        """The same with every example so many times, one beside the other, so that an epoch looks at it as often."""
        rows, targets = np.repeat(self.rows, times), np.repeat(self.targets, times, axis=0)
        return replace(self, rows=rows, targets=targets, cases=[name for name in self.cases for _ in range(times)])

    def inputs(self, which: NDArray[np.int64], device: torch.device, chance: Chance | None = None) -> Tensor:
        """x_NCHW float32 in 0..1, channels last in memory; every chance finds the same pixels."""
        taken = torch.from_numpy(self.store[self.rows[which]]).to(device).to(torch.float32).div_(self.store.scale)
        x_NHWC = taken[..., None] if taken.ndim == 3 else taken
        return x_NHWC.permute(0, 3, 1, 2)

    def module(self, model: Classifier) -> nn.Module:
        return model

    def answers(self, which: NDArray[np.int64], device: torch.device) -> Tensor:
        return torch.from_numpy(self.targets[which]).to(device)

    def changed(self, x: Tensor, answers: Tensor, chance: Chance, views: Views) -> tuple[Tensor, Tensor]:
        return self.plain(augment(x, chance, flips=views.flips), chance, views), answers

    def plain(self, x: Tensor, chance: Chance, views: Views) -> Tensor:
        return x if views.scales is None else scale_jitter(x, views.size, chance, views.scales)

    def logits(self, model: Classifier, x: Tensor, tta: str) -> Tensor:
        return tta_logits(model, x, tta)

    def told(self, which: NDArray[np.int64], logits: Tensor) -> NDArray[Any]:
        return logits.double().cpu().numpy()


def anywhere(x_NCHW: Tensor, size: int, chance: Chance) -> Tensor:
    """A patch of each image that lies anywhere, where images are larger than the network.

    >>> anywhere(torch.zeros(2, 1, 40, 60), 28, Chance.of([0], 2)).shape
    torch.Size([2, 1, 28, 28])
    """
    if max(x_NCHW.shape[-2:]) <= size:
        return x_NCHW
    places = chance.uniform(16)[:, 14:].tolist()
    corners = [[int(p * (side - size + 1)) for p, side in zip(pair, x_NCHW.shape[-2:], strict=True)] for pair in places]
    return torch.stack(
        [one[:, top : top + size, left : left + size] for one, (top, left) in zip(x_NCHW, corners, strict=True)]
    )


def statistics(part: Part) -> tuple[list[float], list[float]]:
    """Mean and standard deviation a channel, in unit levels, of up to 2,048 training images spread over the part."""
    each = part.inputs(np.zeros(1, np.int64), torch.device("cpu")).numel()
    most = min(len(part), STATISTICS, max(1, MOST // each))
    some = np.linspace(0, len(part) - 1, most).astype(np.int64)
    x = part.inputs(some, torch.device("cpu"))
    return x.mean((0, 2, 3)).tolist(), x.std((0, 2, 3)).clamp_min(1e-3).tolist()
