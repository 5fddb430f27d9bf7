"""An exported graph in the place of a network, for looking at windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["Graph"]


class Graph(nn.Module):
    """`run` (x_NCHW float32 -> outputs float64) as a module that takes images of `size`.

    >>> Graph(lambda x: x.mean((2, 3)), 2)(torch.ones(1, 3, 2, 2))
    tensor([[1., 1., 1.]])
    """

    def __init__(self, run: Callable[[NDArray[np.float32]], NDArray[np.float64]], size: int) -> None:
        super().__init__()
        self.run, self.size = run, size

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.from_numpy(self.run(np.ascontiguousarray(x_NCHW.numpy()))).float()
