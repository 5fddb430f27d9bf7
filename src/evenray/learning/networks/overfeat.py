"""OverFeat: Sermanet et al., "OverFeat: integrated recognition, localization and detection", ICLR 2014.

Tables 1 and 3. No normalisation, no overlap between pools, no padding in the first layers:

    fast      11 x 11 / 4, 96 | pool 2 | 5 x 5, 256 | pool 2 | 3 x 3, 512 | 1024 | 1024 | pool 2 | 3072 | 4096 | K
    accurate  7 x 7 / 2, 96 | pool 3 | 7 x 7, 256 | pool 2 | 3 x 3, 512 | 512 | 1024 | 1024 | pool 3 | 4096 | 4096 | K

The published 145 and 144 million parameters belong to 231 and 221 pixels, where the head reads 6 x 6 and 5 x 5 maps.

>>> overfeat_fast(2, 1, 231, width=0.05).grid, overfeat_accurate(2, 1, 221, width=0.05).grid
(6, 5)
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ._layers import Conv, Dropout, Grid, Head, MaxPool, Width, conv_relu, scaled
from ._network import ConvNet, conv_net

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
    c1, c2, *later = (scaled(maps, width) for maps in (96, 256, 512, 1024, 1024))
    trunk: list[nn.Module] = [Conv(channels, c1, 11, stride=4), nn.ReLU(inplace=True), MaxPool(2, 2)]
    trunk += [Conv(c1, c2, 5), nn.ReLU(inplace=True), MaxPool(2, 2), *_three_by_three(c2, later), MaxPool(2, 2)]
    return conv_net(
        trunk, later[-1], classes, channels, size,
        head=head, dropout=dropout, wide=(scaled(3072, width), scaled(4096, width)), grid=grid,
    )  # fmt: skip


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
    c1, c2, *later = (scaled(maps, width) for maps in (96, 256, 512, 512, 1024, 1024))
    trunk: list[nn.Module] = [Conv(channels, c1, 7, stride=2), nn.ReLU(inplace=True), MaxPool(3, 3)]
    trunk += [Conv(c1, c2, 7), nn.ReLU(inplace=True), MaxPool(2, 2), *_three_by_three(c2, later), MaxPool(3, 3)]
    return conv_net(
        trunk, later[-1], classes, channels, size,
        head=head, dropout=dropout, wide=(scaled(4096, width), scaled(4096, width)), grid=grid,
    )  # fmt: skip


def _three_by_three(inputs: int, maps: Sequence[int]) -> list[nn.Module]:
    pairs = zip((inputs, *maps), maps, strict=False)
    return [layer for before, after in pairs for layer in conv_relu(before, after, 3, padding=1)]
