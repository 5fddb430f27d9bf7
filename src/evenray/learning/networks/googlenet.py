"""GoogLeNet: Szegedy et al., "Going deeper with convolutions", CVPR 2015, Table 1.

    7 x 7 / 2, 64 | pool | 1 x 1, 64; 3 x 3, 192 | pool | inception 3a 3b | pool | 4a 4b 4c 4d 4e | pool | 5a 5b | average | K

    an inception is four branches side by side:   1 x 1   |   1 x 1, 3 x 3   |   1 x 1, 5 x 5   |   pool, 1 x 1

    googlenet      as in the paper: biases, local response normalisation around the second stage, 5 x 5 branches
    googlenet_bn   torchvision's, whose weight file it takes: batch normalisation instead, and 3 x 3 where the paper
                   has 5 x 5 (torchvision says so itself)

Two auxiliary heads on 4a and 4d take part in training with weight 0.3 each; `Classifier.auxiliary_loss` gives their
share. They read a 4 x 4 map, averaged from any size; the paper's 5 x 5 / 3 average gives the same 4 x 4 at 224.
Pools are 3 x 3 of stride 2 with the size rounded up.

>>> googlenet(2, 1, 28, width=0.1).fc
Linear(in_features=100, out_features=2, bias=True)
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._layers import Dropout, MaxPool, Width, lrn, scaled
from ._network import Network

__all__ = ["GoogLeNet", "googlenet", "googlenet_bn"]

# Table 1: branch 1 | reduce, 3 x 3 | reduce, 5 x 5 | after the pool
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY_WEIGHT = 0.3


def googlenet(
    classes: int, channels: int, size: int, *, auxiliary: bool = True, dropout: Dropout = 0.4, width: Width = 1.0
) -> GoogLeNet:
    """The paper's network. `auxiliary` adds its two auxiliary heads, with dropout 0.7 unless `dropout` is 0."""
    return GoogLeNet(classes, channels, batch_norm=False, auxiliary=auxiliary, dropout=dropout, width=width)


def googlenet_bn(
    classes: int, channels: int, size: int, *, auxiliary: bool = True, dropout: Dropout = 0.2, width: Width = 1.0
) -> GoogLeNet:
    """torchvision's network; parameters as `googlenet`."""
    return GoogLeNet(classes, channels, batch_norm=True, auxiliary=auxiliary, dropout=dropout, width=width)


class GoogLeNet(Network):
    """Both forms, with torchvision's names."""

    def __init__(
        self, classes: int, channels: int, *, batch_norm: bool, auxiliary: bool, dropout: float, width: float
    ) -> None:
        super().__init__()
        c1, c3 = scaled(64, width), scaled(192, width)
        self.conv1 = _Unit(channels, c1, 7, batch_norm, stride=2)
        self.maxpool1 = MaxPool(3, 2, ceil_mode=True)
        self.norm1 = nn.Identity() if batch_norm else lrn()
        self.conv2 = _Unit(c1, c1, 1, batch_norm)
        self.conv3 = _Unit(c1, c3, 3, batch_norm)
        self.norm2 = nn.Identity() if batch_norm else lrn()
        self.maxpool2 = MaxPool(3, 2, ceil_mode=True)
        inputs, outputs = c3, {}
        for name, maps in INCEPTIONS.items():
            inception = Inception(inputs, [scaled(wide, width) for wide in maps], batch_norm)
            self.add_module(f"inception{name}", inception)
            inputs = outputs[name] = inception.outputs
        self.maxpool3 = MaxPool(3, 2, ceil_mode=True)
        self.maxpool4 = MaxPool(2 if batch_norm else 3, 2, ceil_mode=True)
        auxiliary_dropout = 0.7 if dropout else 0.0
        self.aux1 = Auxiliary(outputs["4a"], classes, batch_norm, width, auxiliary_dropout) if auxiliary else None
        self.aux2 = Auxiliary(outputs["4d"], classes, batch_norm, width, auxiliary_dropout) if auxiliary else None
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(inputs, classes)
        self._pending = _Pending()
        heads = ("aux1", "aux2") if auxiliary else ()
        self.head_modules = (*heads, "dropout", "fc")
        self.outputs = (*(f"{head}.fc2" for head in heads), "fc")
        self.activations = ("conv1", "conv2", "conv3", *(f"inception{name}" for name in INCEPTIONS))
        self.blocks = (
            ("conv1", "maxpool1", "norm1"),
            ("conv2", "conv3", "norm2", "maxpool2"),
            ("inception3a", "inception3b", "maxpool3"),
            (*(f"inception{name}" for name in INCEPTIONS if name[0] == "4"), "maxpool4"),
            ("inception5a", "inception5b"),
        )

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        self._pending.clear()
        x: Tensor = self.norm1(self.maxpool1(self.conv1(x_NCHW)))
        x = self.maxpool2(self.norm2(self.conv3(self.conv2(x))))
        for name in INCEPTIONS:
            if name in ("4a", "5a"):
                x = self.maxpool3(x) if name == "4a" else self.maxpool4(x)
            x = cast(Tensor, self.get_submodule(f"inception{name}")(x))
            if self.training and self.aux1 is not None and self.aux2 is not None and name in ("4a", "4d"):
                self._pending.append((AUXILIARY_WEIGHT, self.aux1(x) if name == "4a" else self.aux2(x)))
        return x

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.dropout(features))
        return logits

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        return functional.conv2d(self.dropout(map_NCHW), self.fc.weight[:, :, None, None], self.fc.bias)

    def take_auxiliary(self) -> list[tuple[float, Tensor]]:
        taken = list(self._pending)
        self._pending.clear()
        return taken


class Inception(nn.Module):
    """Four branches over the same map, their outputs side by side."""

    def __init__(self, inputs: int, maps: list[int], batch_norm: bool) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, pooled = maps
        self.branch1 = _Unit(inputs, one, 1, batch_norm)
        self.branch2 = nn.Sequential(_Unit(inputs, reduce3, 1, batch_norm), _Unit(reduce3, three, 3, batch_norm))
        kernel = 3 if batch_norm else 5
        self.branch3 = nn.Sequential(_Unit(inputs, reduce5, 1, batch_norm), _Unit(reduce5, five, kernel, batch_norm))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), _Unit(inputs, pooled, 1, batch_norm))
        self.outputs = one + three + five + pooled

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.cat([branch(x_NCHW) for branch in self.children()], 1)


class Auxiliary(nn.Module):
    """A classifier on a map half-way up (section 5): 4 x 4 average, 1 x 1 convolution, 1024 units, K."""

    def __init__(self, inputs: int, classes: int, batch_norm: bool, width: float, dropout: float) -> None:
        super().__init__()
        maps, wide = scaled(128, width), scaled(1024, width)
        self.conv = _Unit(inputs, maps, 1, batch_norm)
        self.fc1 = nn.Linear(maps * 16, wide)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(wide, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x = self.conv(functional.adaptive_avg_pool2d(x_NCHW, 4)).flatten(1)
        logits: Tensor = self.fc2(self.dropout(functional.relu(self.fc1(x))))
        return logits


class _Unit(nn.Module):
    """Convolution, batch normalisation if asked, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, batch_norm: bool, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=not batch_norm)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001) if batch_norm else nn.Identity()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        normalised: Tensor = self.bn(self.conv(x_NCHW))
        return functional.relu(normalised, inplace=True)


class _Pending(list[tuple[float, Tensor]]):
    """Outputs that wait for their loss; copies and pickles of the network do not carry them."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Pending:
        return _Pending()

    def __reduce__(self) -> tuple[type[_Pending], tuple[()]]:
        return _Pending, ()
