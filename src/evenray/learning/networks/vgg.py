"""VGG: Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015.

Table 1 of the paper (3 x 3 convolutions of stride 1 and padding 1, each followed by ReLU; 1* is a 1 x 1 convolution;
| is a 2 x 2 max-pool of stride 2; torchvision's name in brackets):

    A      [vgg11]   64      | 128       | 256 256           | 512 512           | 512 512           |
    A-LRN  [-]       64 LRN  | 128       | 256 256           | 512 512           | 512 512           |
    B      [vgg13]   64 64   | 128 128   | 256 256           | 512 512           | 512 512           |
    C      [-]       64 64   | 128 128   | 256 256 256*      | 512 512 512*      | 512 512 512*      |
    D      [vgg16]   64 64   | 128 128   | 256 256 256       | 512 512 512       | 512 512 512       |
    E      [vgg19]   64 64   | 128 128   | 256 256 256 256   | 512 512 512 512   | 512 512 512 512   |

    head=classical   linear 4096, ReLU, dropout, linear 4096, ReLU, dropout, linear K     (the paper's, section 2.1)
    head=average     global average, dropout, linear K    (Lin et al. 2014; it trains from scratch on small data, where
                     the 123 million weights of the classical head do not)
    head=levels      the same on the global averages of all five blocks side by side (for trained weights)

`_bn` adds batch normalisation between each convolution and its ReLU, as torchvision does.

>>> vgg11(2, 1, 28, head="average", width=0.1).classifier
Sequential(
  (0): Dropout(p=0.0, inplace=False)
  (1): Linear(in_features=52, out_features=2, bias=True)
)
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from ._layers import Dropout, Grid, Head, MaxPool, Width, lrn, scaled
from ._network import ConvNet, conv_net

__all__ = [
    "vgg11",
    "vgg11_bn",
    "vgg11_lrn",
    "vgg11_lrn_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg16_c",
    "vgg16_c_bn",
    "vgg19",
    "vgg19_bn",
]

TABLE_1 = {
    "A-LRN": "64 LRN | 128 | 256 256 | 512 512 | 512 512 |",
    "A": "64 | 128 | 256 256 | 512 512 | 512 512 |",
    "B": "64 64 | 128 128 | 256 256 | 512 512 | 512 512 |",
    "C": "64 64 | 128 128 | 256 256 256* | 512 512 512* | 512 512 512* |",
    "D": "64 64 | 128 128 | 256 256 256 | 512 512 512 | 512 512 512 |",
    "E": "64 64 | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512 |",
}


def _column(column: str, batch_norm: bool, name: str) -> Callable[..., ConvNet]:
    def build(
        classes: int,
        channels: int,
        size: int,
        *,
        head: Head = "classical",
        dropout: Dropout | None = None,
        width: Width = 1.0,
        grid: Grid | None = None,
    ) -> ConvNet:
        """A VGG for images of `channels` x `size` x `size`.

        `dropout` stands before the last layer (head=average: 0 by default) or after both wide layers (classical: 0.5);
        `width` multiplies all numbers of channels, for demonstrations and tests; `grid` is the side of the map that the
        classical head reads: by default that of the training size, 7 for heads trained on ImageNet at 224.
        """
        trunk, wide = _trunk(TABLE_1[column], batch_norm, channels, width), scaled(4096, width)
        if dropout is None:
            dropout = 0.5 if head == "classical" else 0.0
        return conv_net(
            trunk, scaled(512, width), classes, channels, size,
            head=head, dropout=dropout, wide=(wide, wide), grid=grid,
        )  # fmt: skip

    build.__name__ = build.__qualname__ = name
    return build


def _trunk(table: str, batch_norm: bool, channels: int, width: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for entry in table.split():
        if entry == "|":
            layers.append(MaxPool(2, 2))
            continue
        if entry == "LRN":
            layers.append(lrn())
            continue
        wide, kernel = scaled(int(entry.removesuffix("*")), width), 1 if entry.endswith("*") else 3
        layers.append(nn.Conv2d(channels, wide, kernel, padding=kernel // 2))
        if batch_norm:
            layers.append(nn.BatchNorm2d(wide))
        layers.append(nn.ReLU(inplace=True))
        channels = wide
    return layers


vgg11, vgg11_bn = _column("A", False, "vgg11"), _column("A", True, "vgg11_bn")
vgg11_lrn, vgg11_lrn_bn = _column("A-LRN", False, "vgg11_lrn"), _column("A-LRN", True, "vgg11_lrn_bn")
vgg13, vgg13_bn = _column("B", False, "vgg13"), _column("B", True, "vgg13_bn")
vgg16, vgg16_bn = _column("D", False, "vgg16"), _column("D", True, "vgg16_bn")
vgg16_c, vgg16_c_bn = _column("C", False, "vgg16_c"), _column("C", True, "vgg16_c_bn")
vgg19, vgg19_bn = _column("E", False, "vgg19"), _column("E", True, "vgg19_bn")
