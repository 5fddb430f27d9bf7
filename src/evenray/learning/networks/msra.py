"""MSRA: He et al., "Spatial pyramid pooling in deep convolutional networks for visual recognition", ECCV 2014.

Table 1 of arXiv:1406.4729, with the last pool replaced by a pyramid of max-pools that cut the map, whatever its size,
into 6 x 6, 3 x 3, 2 x 2 and 1 x 1 parts (50 in all): every image size gives the head the same number of features.

    overfeat7   7 x 7 / 2, 96, pool 3 / 3, LRN | 5 x 5, 256, pool 2 / 2 | 3 x 3, 512, five times | pyramid | 4096 | 4096 | K
    overfeat5   the same with three layers of 512
    zf5         7 x 7 / 2, 96, LRN, pool 3 / 2 | 5 x 5 / 2, 256, LRN, pool 3 / 2 | 384 | 384 | 256 | pyramid | 4096 | 4096 | K

overfeat7 is the single net of the VGG paper's Table 7 (27.9 / 9.1 %). "The padding is adjusted to produce the expected
map size": 36 and 18 pixels at 224 for OverFeat, 55, 27 and 13 for ZF.

>>> msra(2, 1, 28, width=0.05).classifier[0].in_features == 50 * 26
True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, MinLen
from torch import Tensor, nn

from ._layers import Dropout, MaxPool, Width, classical_head, conv_relu, lrn, scaled
from ._network import ConvNet

__all__ = ["PyramidNet", "msra"]

Levels = Annotated[Sequence[Annotated[int, Ge(1)]], MinLen(1)]


class PyramidNet(ConvNet):
    """A trunk, spatial pyramid pooling, a head; any image size without resizing."""

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential, levels: Sequence[int]) -> None:
        super().__init__(features, classifier, grid=None)
        self.levels = tuple(levels)

    def pool(self, map_NCHW: Tensor) -> Tensor:
        return torch.cat([_parts(_parts(map_NCHW, side, 2), side, 3).flatten(1) for side in self.levels], 1)

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        """One place: the pyramid reads the whole map, of any size (section 3.1.4, "full-image representations")."""
        return self.head(self.pool(map_NCHW))[:, :, None, None]


def msra(
    classes: int,
    channels: int,
    size: int,
    *,
    base: Literal["overfeat7", "overfeat5", "zf5"] = "overfeat7",
    levels: Levels = (6, 3, 2, 1),
    dropout: Dropout = 0.5,
    width: Width = 1.0,
) -> PyramidNet:
    """SPP-net on one of the paper's trunks."""
    layers, last = _zf5(channels, width) if base == "zf5" else _overfeat(channels, width, int(base[-1]))
    inputs, wide = last * sum(side**2 for side in levels), scaled(4096, width)
    return PyramidNet(nn.Sequential(*layers), classical_head(inputs, (wide, wide), classes, dropout), levels)


def _parts(map_NCHW: Tensor, parts: int, axis: int) -> Tensor:
    """The maxima of `parts` equal stretches of one axis, overlapping where it does not divide: adaptive max-pooling,
    in operations that ONNX has."""
    side = map_NCHW.shape[axis]
    stretches = [(i * side // parts, -(-(i + 1) * side // parts)) for i in range(parts)]
    return torch.cat([map_NCHW.narrow(axis, a, b - a).amax(axis, keepdim=True) for a, b in stretches], axis)


def _overfeat(channels: int, width: float, depth: int) -> tuple[list[nn.Module], int]:
    c1, c2, c3 = (scaled(wide, width) for wide in (96, 256, 512))
    layers = [*conv_relu(channels, c1, 7, stride=2, padding=1), MaxPool(3, 3), lrn()]
    layers += [*conv_relu(c1, c2, 5, padding=2), MaxPool(2, 2)]
    for before in (c2, *(c3,) * (depth - 3)):
        layers += conv_relu(before, c3, 3, padding=1)
    return layers, c3


def _zf5(channels: int, width: float) -> tuple[list[nn.Module], int]:
    c1, c2, c3, c4, c5 = (scaled(wide, width) for wide in (96, 256, 384, 384, 256))
    layers = [*conv_relu(channels, c1, 7, stride=2, padding=1), lrn(), MaxPool(3, 2, ceil_mode=True)]
    layers += [*conv_relu(c1, c2, 5, stride=2, padding=1), lrn(), MaxPool(3, 2)]
    for before, after in ((c2, c3), (c3, c4), (c4, c5)):
        layers += conv_relu(before, after, 3, padding=1)
    return layers, c5
