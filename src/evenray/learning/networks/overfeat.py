"""OverFeat: Sermanet et al., "OverFeat: integrated recognition, localization and detection", ICLR 2014.

Tables 1 and 3. No normalisation, no overlap between pools, no padding in the first layers:

    fast      11 x 11 / 4, 96 | pool 2 | 5 x 5, 256 | pool 2 | 3 x 3, 512 | 1024 | 1024 | pool 2 | 3072 | 4096 | K
    accurate  7 x 7 / 2, 96 | pool 3 | 7 x 7, 256 | pool 2 | 3 x 3, 512 | 512 | 1024 | 1024 | pool 3 | 4096 | 4096 | K

The published 145 and 144 million parameters belong to 231 and 221 pixels, where the head reads 6 x 6 and 5 x 5 maps.

>>> overfeat_fast(2, 1, 231, width=0.05).grid, overfeat_accurate(2, 1, 221, width=0.05).grid
(6, 5)
"""

from __future__ import annotations

from torch import nn

from ._layers import Conv, Dropout, Grid, Head, MaxPool, Width, average_head, scaled
from ._network import ConvNet, map_side

__all__ = ["overfeat_accurate", "overfeat_fast"]


def overfeat_fast(
    classes: int,
    channels: int,
    size: int,
    *,
    head: Head = "classical",
    dropout: Dropout = 0.5,
    width: Width = 1.0,
    grid: Grid | None = None,
) -> ConvNet:
    """The fast model of Table 1."""
    c1, c2, c3, c4, c5 = (scaled(wide, width) for wide in (96, 256, 512, 1024, 1024))
    features = [Conv(channels, c1, 11, stride=4), nn.ReLU(inplace=True), MaxPool(2, 2)]
    features += [Conv(c1, c2, 5), nn.ReLU(inplace=True), MaxPool(2, 2)]
    for before, after in ((c2, c3), (c3, c4), (c4, c5)):
        features += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
    features.append(MaxPool(2, 2))
    trunk, wide = nn.Sequential(*features), (scaled(3072, width), scaled(4096, width))
    return _with_head(trunk, c5, wide, classes, channels, size, head, dropout, grid)


def overfeat_accurate(
    classes: int,
    channels: int,
    size: int,
    *,
    head: Head = "classical",
    dropout: Dropout = 0.5,
    width: Width = 1.0,
    grid: Grid | None = None,
) -> ConvNet:
    """The accurate model of Table 3."""
    c1, c2, c3, c4, c5, c6 = (scaled(wide, width) for wide in (96, 256, 512, 512, 1024, 1024))
    features = [Conv(channels, c1, 7, stride=2), nn.ReLU(inplace=True), MaxPool(3, 3)]
    features += [Conv(c1, c2, 7), nn.ReLU(inplace=True), MaxPool(2, 2)]
    for before, after in ((c2, c3), (c3, c4), (c4, c5), (c5, c6)):
        features += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
    features.append(MaxPool(3, 3))
    trunk, wide = nn.Sequential(*features), (scaled(4096, width), scaled(4096, width))
    return _with_head(trunk, c6, wide, classes, channels, size, head, dropout, grid)


def _with_head(
    features: nn.Sequential,
    last: int,
    wide: tuple[int, int],
    classes: int,
    channels: int,
    size: int,
    head: Head,
    dropout: float,
    grid: int | None,
) -> ConvNet:
    if head == "average":
        return ConvNet(features, average_head(last, classes, dropout), None)
    side = grid or map_side(features, channels, size)
    classifier = nn.Sequential(
        nn.Linear(last * side**2, wide[0]),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(wide[0], wide[1]),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(wide[1], classes),
    )
    return ConvNet(features, classifier, side)
