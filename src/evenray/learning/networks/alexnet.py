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

from torch import nn

from ._layers import Dropout, Grid, Head, MaxPool, Width, average_head, lrn, scaled
from ._network import ConvNet, map_side

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
    c1, c2, c3, c4, c5 = (scaled(wide, width) for wide in (96, 256, 384, 384, 256))
    features = nn.Sequential(
        nn.Conv2d(channels, c1, 11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        lrn(),
        MaxPool(3, 2),
        nn.Conv2d(c1, c2, 5, padding=2, groups=2),
        nn.ReLU(inplace=True),
        lrn(),
        MaxPool(3, 2),
        nn.Conv2d(c2, c3, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(c3, c4, 3, padding=1, groups=2),
        nn.ReLU(inplace=True),
        nn.Conv2d(c4, c5, 3, padding=1, groups=2),
        nn.ReLU(inplace=True),
        MaxPool(3, 2),
    )
    return _with_head(features, c5, classes, channels, size, head, dropout, width, grid)


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
    c1, c2, c3, c4 = (scaled(wide, width) for wide in (64, 192, 384, 256))
    features = nn.Sequential(
        nn.Conv2d(channels, c1, 11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        MaxPool(3, 2),
        nn.Conv2d(c1, c2, 5, padding=2),
        nn.ReLU(inplace=True),
        MaxPool(3, 2),
        nn.Conv2d(c2, c3, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(c3, c4, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(c4, c4, 3, padding=1),
        nn.ReLU(inplace=True),
        MaxPool(3, 2),
    )
    return _with_head(features, c4, classes, channels, size, head, dropout, width, grid)


def _with_head(
    features: nn.Sequential,
    last: int,
    classes: int,
    channels: int,
    size: int,
    head: Head,
    dropout: float,
    width: float,
    grid: int | None,
) -> ConvNet:
    if head == "average":
        return ConvNet(features, average_head(last, classes, dropout), None)
    side, wide = grid or map_side(features, channels, size), scaled(4096, width)
    classifier = nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(last * side**2, wide),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(wide, wide),
        nn.ReLU(inplace=True),
        nn.Linear(wide, classes),
    )
    return ConvNet(features, classifier, side)
