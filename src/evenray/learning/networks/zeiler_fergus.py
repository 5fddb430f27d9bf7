"""Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014 (arXiv:1311.2901), Figure 3.

    7 x 7 / 2, 96 maps | pool, LRN | 5 x 5 / 2, 256 | pool, LRN | 3 x 3, A | 3 x 3, B | 3 x 3, C | pool | 4096 | 4096 | K

    maps=a   A, B, C = 384, 384, 256     Figure 3: 40.5 / 18.1 % top-1 / top-5 validation error for one net
    maps=b   A, B, C = 512, 1024, 512    Table 2 (b): 37.5 / 16.0 %, the one net of the VGG paper's Table 7;
                                         its six nets join both kinds

Pools are 3 x 3 of stride 2 with the size rounded up, which gives the figure's sides 110, 55, 26, 13 and 6 at 224. The
figure's contrast normalisation across maps is taken as the local response normalisation of Krizhevsky et al.

>>> zeiler_fergus(2, 1, 224, width=0.05).grid
6
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from ._layers import Conv, Dropout, Grid, Head, MaxPool, Width, conv_relu, lrn, scaled
from ._network import ConvNet, conv_net

__all__ = ["zeiler_fergus"]

MAPS = {"a": (384, 384, 256), "b": (512, 1024, 512)}


def zeiler_fergus(
    classes: int,
    channels: int,
    size: int,
    *,
    maps: Literal["a", "b"] = "a",
    head: Head = "classical",
    dropout: Dropout = 0.5,
    width: Width = 1.0,
    grid: Grid | None = None,
) -> ConvNet:
    """The network of Figure 3, or the wider one of Table 2."""
    c1, c2, c3, c4, c5, wide = (scaled(count, width) for count in (96, 256, *MAPS[maps], 4096))
    trunk = [*conv_relu(channels, c1, 7, stride=2, padding=1), MaxPool(3, 2, ceil_mode=True), lrn()]
    trunk += [Conv(c1, c2, 5, stride=2), nn.ReLU(inplace=True), MaxPool(3, 2, ceil_mode=True), lrn()]
    for before, after in ((c2, c3), (c3, c4), (c4, c5)):
        trunk += conv_relu(before, after, 3, padding=1)
    trunk.append(MaxPool(3, 2))
    return conv_net(
        trunk, c5, classes, channels, size,
        head=head, dropout=dropout, wide=(wide, wide), grid=grid,
    )  # fmt: skip
