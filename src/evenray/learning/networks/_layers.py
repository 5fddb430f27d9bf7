"""Layers that keep small inputs alive, and the arithmetic of widths.

The rule for small inputs: a layer that meets a side under 8 pixels loses none of them at its border. A max-pool there
rounds its output size up, and a convolution without padding is padded with zeros to keep its side. So VGG takes
28 pixels: 28 -> 14 -> 7 -> 4 -> 2 -> 1. At the sizes of the papers nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "Conv", "Dropout",
    "Grid", "Head", "MaxPool", "SameConv", "Width", "classical_head", "conv_relu", "levels", "lrn", "same_padded", "scaled",
]  # fmt: skip

SMALL_SIDE = 8

Head = Literal["average", "classical", "levels"]
Width = Annotated[float, Gt(0), Le(1)]
Dropout = Annotated[float, Ge(0), Lt(1)]
Grid = Annotated[int, Ge(1), Le(64)]


def scaled(channels: int, width: float) -> int:
    """The number of channels at a width multiplier: even, and at least 4.

    >>> scaled(64, 1.0), scaled(64, 0.25), scaled(64, 0.01)
    (64, 16, 4)
    """
    return max(4, 2 * round(channels * width / 2))


def classical_head(
    inputs: int, wide: tuple[int, int], classes: int, dropout: float, *, dropout_first: bool = False
) -> nn.Sequential:
    """Two wide layers and the last one, with dropout after each wide one, or before it; torchvision's names."""
    layers: list[nn.Module] = []
    for before, after in ((inputs, wide[0]), wide):
        block = [nn.Linear(before, after), nn.ReLU(inplace=True)]
        layers += [nn.Dropout(dropout), *block] if dropout_first else [*block, nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(wide[1], classes))


def levels(maps: Sequence[Tensor]) -> Tensor:
    """The maps of several blocks as one, of the last one's side: beside each place of the last map the means of the others.

    Its global average is that of every block, side by side. What a trunk learnt on photographs is of use at the level where it
    is general; for medical images that is seldom the last alone (Yosinski et al. 2014).

    >>> import torch
    >>> levels([torch.ones(1, 2, 8, 8), torch.zeros(1, 3, 4, 4)]).shape
    torch.Size([1, 5, 4, 4])
    """
    last_NCHW = maps[-1]
    means = [map_NCHW.mean((2, 3), keepdim=True).expand(-1, -1, *last_NCHW.shape[2:]) for map_NCHW in maps[:-1]]
    return torch.cat([*means, last_NCHW], 1)


def conv_relu(
    inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1
) -> list[nn.Module]:
    """A convolution and its ReLU."""
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups), nn.ReLU(inplace=True)]


def lrn() -> nn.LocalResponseNorm:
    """Local response normalisation across 5 channels, k = 2, alpha = 1e-4, beta = 0.75 (Krizhevsky et al. 2012, 3.3).

    torch divides alpha by the number of channels, the paper does not.
    """
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


class MaxPool(nn.MaxPool2d):
    """Max-pooling that rounds its output size up where the input side is under 8 pixels, or always with `ceil_mode`.

    >>> import torch
    >>> MaxPool(2, 2)(torch.zeros(1, 1, 7, 14)).shape[2:], MaxPool(3, 2)(torch.zeros(1, 1, 1, 13)).shape[2:]
    (torch.Size([4, 7]), torch.Size([1, 6]))
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        bottom, right = self._missing(x_NCHW.shape[-2]), self._missing(x_NCHW.shape[-1])
        if bottom or right:
            x_NCHW = functional.pad(x_NCHW, (0, right, 0, bottom), value=-math.inf)
        return functional.max_pool2d(x_NCHW, self.kernel_size, self.stride)

    def _missing(self, side: int) -> int:
        """How many pixels the last window lacks, where it is to be kept."""
        if side >= SMALL_SIDE and not self.ceil_mode:
            return 0
        kernel, stride = int(self.kernel_size), int(self.stride)  # type: ignore[arg-type]
        windows = max(1, math.ceil((side - kernel) / stride) + 1)
        return max(0, (windows - 1) * stride + kernel - side)


class Conv(nn.Conv2d):
    """A convolution without padding, padded to keep its side where the input side is under 8 pixels.

    >>> import torch
    >>> Conv(1, 4, 5)(torch.zeros(1, 1, 3, 12)).shape[2:]
    torch.Size([3, 8])
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return functional.conv2d(x_NCHW, self.weight, self.bias, self.stride, self.pads(x_NCHW))

    def pads(self, x_NCHW: Tensor) -> tuple[int, int]:
        """The padding (rows, columns) that this input gets."""
        rows, columns = (
            kernel // 2 if side < SMALL_SIDE else 0
            for kernel, side in zip(self.kernel_size, x_NCHW.shape[-2:], strict=True)
        )
        return rows, columns


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: the output side is the input side over the stride, rounded up, and of
    an odd number of zeros the one more stands at the end.

    >>> import torch
    >>> layer = SameConv(1, 4, 3, 2)
    >>> layer(torch.zeros(1, 1, 28, 29)).shape[2:], layer.pads(torch.zeros(1, 1, 28, 29))
    (torch.Size([14, 15]), (0, 1))
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = same_padded(x_NCHW, self.kernel_size, self.stride)
        return functional.conv2d(x_NCHW, self.weight, self.bias, self.stride, groups=self.groups)

    def pads(self, x_NCHW: Tensor) -> tuple[int, int]:
        """The zeros before the first row and column that this input gets."""
        rows, columns = _lacking(x_NCHW, self.kernel_size, self.stride)
        return rows // 2, columns // 2


def same_padded(x_NCHW: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """An image with the zeros around it that "same" padding adds."""
    rows, columns = _lacking(x_NCHW, kernel, stride)
    return functional.pad(x_NCHW, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))


def _lacking(x_NCHW: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> tuple[int, int]:
    rows, columns = (
        max(0, (math.ceil(side / step) - 1) * step + wide - side)
        for side, wide, step in zip(x_NCHW.shape[-2:], kernel, stride, strict=True)
    )
    return rows, columns
