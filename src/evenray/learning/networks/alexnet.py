"""AlexNet, in the form of its paper and in torchvision's.

Krizhevsky, Sutskever & Hinton, "ImageNet classification with deep convolutional neural networks", NIPS 2012, section 3.5:

    krizhevsky  96 of 11 x 11 / 4, LRN, pool | 256 of 5 x 5, LRN, pool | 384 of 3 x 3 | 384 of 3 x 3 | 256 of 3 x 3, pool
                two towers: layers 2, 4 and 5 see half of the maps each (groups = 2)
    alexnet     64 of 11 x 11 / 4, pool | 192 of 5 x 5, pool | 384 of 3 x 3 | 256 of 3 x 3 | 256 of 3 x 3, pool
                one tower, no normalisation: "One weird trick", arXiv:1404.5997, which torchvision implements

Pools are 3 x 3 of stride 2. The paper says 224 pixels and means 227: padding 2 gives its 55 x 55 maps at 224.
The head is the paper's (dropout, 4096, dropout, 4096, K) unless `head=average` asks for a global average.

>>> krizhevsky(2, 1, 224, width=0.05).classifier[1]
Linear(in_features=432, out_features=204, bias=True)
"""

from __future__ import annotations

from ._layers import Dropout, Grid, Head, MaxPool, Width, conv_relu, lrn, scaled
from ._network import ConvNet, conv_net

__all__ = ["alexnet", "krizhevsky"]


def krizhevsky(
    classes: int,
    channels: int,
    size: int,
    *,
    head: Head = "classical",
    dropout: Dropout = 0.5,
    width: Width = 1.0,
    grid: Grid | None = None,
) -> ConvNet:
    """The paper's network of two towers."""
    c1, c2, c3, c4, c5, wide = (scaled(maps, width) for maps in (96, 256, 384, 384, 256, 4096))
    trunk = [*conv_relu(channels, c1, 11, stride=4, padding=2), lrn(), MaxPool(3, 2)]
    trunk += [*conv_relu(c1, c2, 5, padding=2, groups=2), lrn(), MaxPool(3, 2)]
    trunk += conv_relu(c2, c3, 3, padding=1)
    trunk += conv_relu(c3, c4, 3, padding=1, groups=2)
    trunk += [*conv_relu(c4, c5, 3, padding=1, groups=2), MaxPool(3, 2)]
    return conv_net(
        trunk, c5, classes, channels, size,
        head=head, dropout=dropout, wide=(wide, wide), grid=grid, dropout_first=True,
    )  # fmt: skip


def alexnet(
    classes: int,
    channels: int,
    size: int,
    *,
    head: Head = "classical",
    dropout: Dropout = 0.5,
    width: Width = 1.0,
    grid: Grid | None = None,
) -> ConvNet:
    """torchvision's network of one tower; `grid` is 6 for its ImageNet head."""
    c1, c2, c3, c4, wide = (scaled(maps, width) for maps in (64, 192, 384, 256, 4096))
    trunk = [*conv_relu(channels, c1, 11, stride=4, padding=2), MaxPool(3, 2)]
    trunk += [*conv_relu(c1, c2, 5, padding=2), MaxPool(3, 2)]
    for before, after in ((c2, c3), (c3, c4), (c4, c4)):
        trunk += conv_relu(before, after, 3, padding=1)
    trunk.append(MaxPool(3, 2))
    return conv_net(
        trunk, c4, classes, channels, size,
        head=head, dropout=dropout, wide=(wide, wide), grid=grid, dropout_first=True,
    )  # fmt: skip
