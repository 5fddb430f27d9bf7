"""SSD, the single-shot detector on a VGG trunk (Liu et al. 2016, arXiv:1512.02325).

    image 300    conv4_3 -L2-> 38    pool5 3x3/1, fc6 dilated, fc7 -> 19    conv8_2 10    conv9_2 5    conv10_2 3    conv11_2 1
    image 128    conv3_3 -L2-> 32    conv4_3 -L2-> 16    fc7 -> 8           4    2    1

At every place of every map a 3 x 3 convolution says for each default box which class it is, background first, and how far
the object's box lies from it. Images of fewer than 200 pixels begin one block lower, as otherwise the first map would have a
few places only; the dilation of fc6 keeps its share of the map. Where the trunk has batch normalisation, the new layers have it.
With vgg16 at 300 pixels this is the paper's SSD300.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import torch
from annotated_types import Gt, Lt
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from evenray.core.errors import UsageError

from ._layers import MaxPool, scaled
from ._network import Network, stages
from .default_boxes import boxes_a_place, default_boxes
from .pyramid import vgg_trunk

__all__ = ["SSD", "L2Norm", "ssd"]

SMALL = 200  # pixels; below, the first map is that of the third block
L2_SCALE = 20.0  # section 3.1
CONTEXT = 1024  # channels of fc6 and fc7
EXTRAS = ((256, 512), (128, 256), (128, 256), (128, 256), (128, 256))
NORMALISED = 3  # the smallest side of a new map with batch normalisation
OFFSETS = 4  # a default box


def ssd(
    classes: int,
    channels: int,
    size: int,
    trunk: str = "vgg16_bn",
    *,
    smallest: Annotated[float, Gt(0), Lt(0.45)] = 0.1,
) -> SSD:
    """The detector of `classes` classes, without background, for images of `channels` x `size` x `size`.

    `trunk` is a VGG of the registry, with its parameters, as in ssd('vgg16_bn(width=0.25)'); `smallest` the side of the
    smallest default boxes as a share of the image's. UsageError for another trunk.
    """
    return SSD(vgg_trunk(trunk, channels, size), classes, size, smallest)


class Constant(nn.Module):
    """Numbers that are kept with the weights and never learnt; `fill` sets them, on the device that the module is on."""

    values: Tensor

    def __init__(self, numbers: NDArray[np.float32]) -> None:
        super().__init__()
        self.numbers = numbers
        self.register_buffer("values", torch.empty(numbers.shape))

    def fill(self) -> None:
        self.values.copy_(torch.from_numpy(self.numbers))


class L2Norm(nn.Module):
    """Each place's features scaled to length one, times a learnt scale a channel (Liu et al. 2015, ParseNet, section 3.2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return functional.normalize(x_NCHW, dim=1) * self.weight[:, None, None]


class SSD(Network):
    """Images in, answers (N, A, 4 + 4 + 1 + K) out: of each default box the four offsets, the box itself (centre, width and height
    as shares of the image's side), and the logits of background and classes."""

    def __init__(self, trunk: nn.Sequential, classes: int, size: int, smallest: float) -> None:
        super().__init__()
        layers = list(trunk)[:-1]  # the fifth pooling is another one, which keeps the map's side
        poolings = [i for i, layer in enumerate(layers) if isinstance(layer, MaxPool)]
        for i in poolings:
            layers[i].ceil_mode = True  # type: ignore[assignment]  # 75 places become 38
        batch_norm = any(isinstance(layer, nn.BatchNorm2d) for layer in layers)
        first = 2 if size < SMALL else 3
        sides = [size]
        for _ in poolings:
            sides.append(math.ceil(sides[-1] / 2))
        self.features, self.classes, self.size, self.taps = nn.Sequential(*layers), classes, size, poolings[first:]
        widths = [_channels_before(layers, i) for i in [*self.taps, len(layers)]]
        share, side, sides = widths[-1] / 512, sides[-1], sides[first:]
        self.norms = nn.ModuleList(L2Norm(width) for width in widths[:-1])
        wide = scaled(CONTEXT, share)
        self.fc = nn.Sequential(
            nn.MaxPool2d(3, 1, 1),
            *_block(widths[-1], wide, 3, dilation=max(1, round(side * 6 / 19)), batch_norm=batch_norm),
            *_block(wide, wide, 1, batch_norm=batch_norm),
        )
        sources = [*widths[:-1], wide]
        self.extras = nn.ModuleList()
        for narrow, out in EXTRAS:
            if side == 1:
                break
            halved = side == 2 or side > 5
            before, side = side, math.ceil(side / 2) if halved else side - 2
            narrow, out = scaled(narrow, share), scaled(out, share)
            # The statistics of a map of a few places are those of a few numbers.
            self.extras.append(nn.Sequential(
                *_block(sources[-1], narrow, 1, batch_norm=batch_norm and before >= NORMALISED),
                *_block(narrow, out, 3, stride=1 + halved, padding=int(halved), batch_norm=batch_norm and side >= NORMALISED),
            ))  # fmt: skip
            sources.append(out)
            sides.append(side)
        each = boxes_a_place(len(sides))
        self.locate, self.classify = (
            nn.ModuleList(nn.Conv2d(s, n * told, 3, padding=1) for s, n in zip(sources, each, strict=True))
            for told in (OFFSETS, 1 + classes)
        )
        self.defaults = Constant(default_boxes(sides, smallest))
        names = [f"features.{i}" for i in range(len(layers))]
        self.blocks = stages(names, layers)
        self.head_modules = ("norms", "fc", "extras", "locate", "classify", "defaults")
        self.outputs = [f"{kind}.{i}" for kind in ("locate", "classify") for i in range(len(sides))]
        self.activations = [name for name, layer in zip(names, layers, strict=True) if isinstance(layer, nn.ReLU)]

    @property
    def attributed(self) -> Sequence[str]:
        """Those before the first map that boxes are found on; the later ones say nothing of small objects."""
        return [name for name in self.activations if int(name.rpartition(".")[2]) < self.taps[0]]

    def materialise(self, seed: int) -> None:
        super().materialise(seed)
        self.defaults.fill()
        for norm in self.norms:
            nn.init.constant_(norm.weight, L2_SCALE)  # type: ignore[arg-type]

    def converted(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Of a VGG's two wide linear layers fc6 and fc7: every fourth unit, and of 7 x 7 taps every third (section 3)."""
        trunk = {name: tensor for name, tensor in tensors.items() if not name.startswith("classifier.")}
        fc6, fc7 = tensors.get("classifier.0.weight"), tensors.get("classifier.3.weight")
        if fc6 is None or fc7 is None or fc6.shape != (4 * CONTEXT, 512 * 7 * 7) or fc7.shape != (4 * CONTEXT,) * 2:
            return trunk
        first, second = (name for name, layer in self.fc.named_children() if isinstance(layer, nn.Conv2d))
        return {
            **trunk,
            f"fc.{first}.weight": fc6.view(4 * CONTEXT, 512, 7, 7)[::4, :, ::3, ::3].contiguous(),
            f"fc.{first}.bias": tensors["classifier.0.bias"][::4].contiguous(),
            f"fc.{second}.weight": fc7[::4, ::4, None, None].contiguous(),
            f"fc.{second}.bias": tensors["classifier.3.bias"][::4].contiguous(),
        }

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if x_NCHW.shape[-2:] != (self.size, self.size):
            raise UsageError(
                f"The images have shape {tuple(x_NCHW.shape)}; this detector's default boxes are for {self.size} x {self.size}."
            )
        maps: list[Tensor] = []
        for i, layer in enumerate(self.features):
            if i in self.taps:
                maps.append(self.norms[len(maps)](x_NCHW))
            x_NCHW = layer(x_NCHW)
        maps.append(self.fc(x_NCHW))
        for extra in self.extras:
            maps.append(extra(maps[-1]))
        offsets_NA4, logits_NAC = (
            torch.cat([_a_box(layer(map_NCHW), told) for layer, map_NCHW in zip(layers, maps, strict=True)], 1)
            for layers, told in ((self.locate, OFFSETS), (self.classify, 1 + self.classes))
        )
        defaults_NA4 = self.defaults.values.expand(x_NCHW.shape[0], -1, -1)
        return torch.cat([offsets_NA4, defaults_NA4, logits_NAC], 2)


def _a_box(answers_NCHW: Tensor, told: int) -> Tensor:
    """(N, boxes * told, h, w) as (N, h * w * boxes, told)."""
    answers_NHWC = answers_NCHW.permute(0, 2, 3, 1)
    return answers_NHWC.reshape(answers_NCHW.shape[0], -1, told)  # `len` would fix the batch in an exported graph


def _block(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, padding: int | None = None, dilation: int = 1,
    batch_norm: bool,
) -> list[nn.Module]:  # fmt: skip
    padding = kernel // 2 * dilation if padding is None else padding
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)
    return [conv, *([nn.BatchNorm2d(outputs)] if batch_norm else []), nn.ReLU(inplace=True)]


def _channels_before(layers: Sequence[nn.Module], end: int) -> int:
    return [layer.out_channels for layer in layers[:end] if isinstance(layer, nn.Conv2d)][-1]
