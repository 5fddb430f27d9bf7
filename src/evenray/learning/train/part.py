"""Rows of a store with their classes: what training and prediction take their images from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.data.store import Store

__all__ = ["Part", "statistics"]

STATISTICS = 2048


@dataclass(frozen=True)
class Part:
    """Rows of a store with their class indices, int64 (n,) each; `cases` are their names, for messages."""

    store: Store
    rows: NDArray[np.int64]
    targets: NDArray[np.int64]
    cases: Sequence[str] | pl.Series = ()

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, which: NDArray[np.int64], device: torch.device) -> Tensor:
        """x_NCHW float32 in 0..1, channels last in memory."""
        taken = torch.from_numpy(self.store[self.rows[which]]).to(device).to(torch.float32).div_(self.store.scale)
        x_NHWC = taken[..., None] if taken.ndim == 3 else taken
        return x_NHWC.permute(0, 3, 1, 2)


def statistics(part: Part) -> tuple[list[float], list[float]]:
    """Mean and standard deviation a channel, in unit levels, of up to 2,048 training images spread over the part."""
    some = np.linspace(0, len(part) - 1, min(len(part), STATISTICS)).astype(np.int64)
    x = part.images(some, torch.device("cpu"))
    return x.mean((0, 2, 3)).tolist(), x.std((0, 2, 3)).clamp_min(1e-3).tolist()
