"""EfficientNet-Lite0: Tan & Le, "EfficientNet", ICML 2019, in the form without squeeze-and-excitation (Liu 2020,
tensorflow/tpu, models/official/efficientnet/lite). 0.4 G multiply-adds at 224, a fortieth of VGG16.

Inverted bottlenecks (1 x 1 up to six times the maps, k x k depthwise, 1 x 1 down), each convolution with batch
normalisation, ReLU6 but after the last; shortcuts where neither side nor maps change. Padding is TensorFlow's "same".

    maps       32  16  24 24  40 40  80 80 80  112 112 112  192 192 192 192  320  1280
    kernel      3   3   3  3   5  5   3  3  3    5   5   5    5   5   5   5    3     1
    stride      2   1   2  1   2  1   2  1  1    1   1   1    2   1   1   1    1     1

Parameter names are those of lukemelas/EfficientNet-PyTorch, whose weight files for this network go around.
"""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._layers import Dropout, SameConv, Width, levels, scaled
from ._network import Network

__all__ = ["EfficientNetLite", "LiteTrunk", "efficientnet_lite0"]

# repeats, kernel, stride of the first, expansion, maps
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320))  # fmt: skip
BLOCKS = ((0, 1), (1, 3), (3, 5), (5, 11), (11, 16))  # bottlenecks between which the map gets smaller
LEVELS = [end for _, end in BLOCKS]
EPSILON = 1e-3


def efficientnet_lite0(
    classes: int, channels: int, size: int, *, head: Literal["average", "levels"] = "average", dropout: Dropout = 0.2,
    width: Width = 1.0,
) -> EfficientNetLite:  # fmt: skip
    """EfficientNet-Lite0 with one linear layer after the global average, of the last map or of the `levels` of all blocks;
    `width` multiplies all numbers of channels."""
    return EfficientNetLite(classes, channels, head == "levels", dropout, width)


class LiteTrunk(Network):
    """Stem and bottlenecks, without a head: what a decoder stands on. `channels` are those of its `levels`, the first of which have
    `finest` pixels of the image beside each other in a place."""

    finest = 2

    def __init__(self, channels: int, width: float) -> None:
        super().__init__()
        maps = scaled(32, width)
        self._conv_stem = SameConv(channels, maps, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(maps, eps=EPSILON)
        self._blocks = nn.ModuleList()
        self.channels = list[int]()
        for repeats, kernel, stride, expansion, wide in STAGES:
            for each in range(repeats):
                out = scaled(wide, width)
                self._blocks.append(_Bottleneck(maps, out, kernel, stride if each == 0 else 1, expansion))
                maps = out
                if len(self._blocks) in LEVELS:
                    self.channels.append(maps)
        blocks = [[f"_blocks.{i}" for i in range(first, end)] for first, end in BLOCKS]
        blocks[0] = ["_conv_stem", "_bn0", *blocks[0]]
        self.blocks: list[list[str]] = blocks
        self.activations = [f"_blocks.{i}" for i in range(len(self._blocks))]

    def levels(self, x_NCHW: Tensor) -> list[Tensor]:
        """The maps before each halving after the first, and the last ones: of a half, a quarter ... 1/32 of the side."""
        x = functional.relu6(self._bn0(self._conv_stem(x_NCHW)))
        maps = list[Tensor]()
        for i, block in enumerate(self._blocks, 1):
            x = block(x)
            if i in LEVELS:
                maps.append(x)
        return maps


class EfficientNetLite(LiteTrunk):
    """Stem, bottlenecks, a last 1 x 1 convolution, the global average and a linear layer."""

    def __init__(self, classes: int, channels: int, every_level: bool, dropout: float, width: float) -> None:
        super().__init__(channels, width)
        *lower, last = self.channels
        wide = scaled(1280, width)
        self._conv_head = nn.Conv2d(last, wide, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._relu = nn.ReLU6(inplace=True)
        self._dropout = nn.Dropout(dropout)
        self.every_level = every_level
        self._fc = nn.Linear(sum(lower) * every_level + wide, classes)
        self.blocks[-1] += ["_conv_head", "_bn1", "_relu"]
        self.head_modules, self.outputs = ("_dropout", "_fc"), ("_fc",)
        self.activations = [*self.activations, "_relu"]

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        *maps, last = self.levels(x_NCHW)
        x = cast(Tensor, self._relu(self._bn1(self._conv_head(last))))
        return levels([*maps, x]) if self.every_level else x

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self._fc(self._dropout(features))
        return logits

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        return functional.conv2d(self._dropout(map_NCHW), self._fc.weight[:, :, None, None], self._fc.bias)


class _Bottleneck(nn.Module):
    """Up, depthwise, down, and a shortcut where the map keeps its shape."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expands, self.keeps = expansion > 1, stride == 1 and inputs == outputs
        if self.expands:
            self._expand_conv = nn.Conv2d(inputs, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._depthwise_conv = SameConv(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._project_conv = nn.Conv2d(wide, outputs, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outputs, eps=EPSILON)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x = functional.relu6(self._bn0(self._expand_conv(x_NCHW))) if self.expands else x_NCHW
        x = functional.relu6(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))
        return torch.add(x, x_NCHW) if self.keeps else cast(Tensor, x)
