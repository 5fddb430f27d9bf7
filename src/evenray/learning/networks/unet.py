"""U-Net (Ronneberger, Fischer & Brox, MICCAI 2015) on the convolutions of a classifier: a class for every pixel.

On the way up every level is a 2 x 2 transposed convolution to the channels of the pyramid's level there, joined with that level,
and two 3 x 3 convolutions to as many channels (figure 1 of the paper); a last 1 x 1 convolution gives the scores. Convolutions
are padded, so that the scores have the size of the image. A VGG's pyramid ends before the last pooling: VGG16 has four ways
up, as the paper's contracting path has. EfficientNet-Lite's begins at half the side; the last way up joins nothing.

>>> unet(2, 1, 64, "vgg11(width=0.1)")(torch.zeros(1, 1, 45, 64)).shape
torch.Size([1, 2, 45, 64])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from annotated_types import Gt, Le
from torch import Tensor, nn

from ._layers import scaled
from ._network import Network
from .pyramid import Trunk, padded, trunk_of

__all__ = ["UNet", "unet"]


def unet(
    classes: int, channels: int, size: int, encoder: str = "vgg16_bn", *, batch_norm: bool | None = None,
    decoder: Annotated[float, Gt(0), Le(4)] = 1.0,
) -> UNet:  # fmt: skip
    """A U-Net whose way down are the convolutions of `encoder`, a VGG or EfficientNet-Lite by its spec.

    `batch_norm` says whether the way up has batch normalisation; by default as the encoder has. `decoder` multiplies the channels
    of the way up: with a quarter of those of a VGG it costs an eighth, which suits an encoder that is frozen.
    """
    trunk = trunk_of(encoder, channels, size)
    normed = any(isinstance(layer, nn.BatchNorm2d) for layer in trunk.modules())
    return UNet(trunk, classes, normed if batch_norm is None else batch_norm, decoder)


class UNet(Network):
    """`features` by the classifier's own names, so that its weights fit; `decoder` has a level for each way up, the deepest first."""

    of_pixels = True

    def __init__(self, features: Trunk, classes: int, batch_norm: bool, decoder: float = 1.0) -> None:
        super().__init__()
        self.features = features
        *skips, deepest = features.channels
        wide = [scaled(channels, decoder) for channels in skips]
        if features.finest > 1:  # one more way up, to the image's own resolution, where the encoder has no maps
            skips, wide = [0, *skips], [wide[0], *wide]
        levels = list[_Level]()
        for skip, out in zip(reversed(skips), reversed(wide), strict=True):
            levels.append(_Level(deepest, skip, out, batch_norm))
            deepest = out
        self.decoder = nn.ModuleList(levels)
        self.score = nn.Conv2d(deepest, classes, 1)
        self.multiple = 2 ** len(skips)
        self.blocks = [[f"features.{name}" for name in block] for block in features.blocks]
        self.head_modules, self.outputs = ("decoder", "score"), ("score",)
        self.activations = [
            *(f"features.{name}" for name in features.activations),
            *(f"decoder.{i}.convolutions.{len(level.convolutions) - 1}" for i, level in enumerate(levels)),
        ]

    @property
    def attributed(self) -> Sequence[str]:
        """The first blocks of the way down, to a quarter of the side: what lies deeper is passed by, and maps on the way up are nearly
        the mask itself (Vinogradova et al. 2020)."""
        first = {name for block in self.blocks[: 3 - self.features.finest // 2] for name in block}
        return [name for name in self.activations if name in first]

    def converted(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Of a classifier's file what the trunk has, without the head."""
        here = self.state_dict()
        inside = {  # the offset of a first layer that was folded for grey images has no place yet, but its filters have
            f"features.{name}": tensor for name, tensor in tensors.items()
            if f"features.{name.removesuffix('offset')}{'weight' * name.endswith('.offset')}" in here
        }  # fmt: skip
        return inside or {name: tensor for name, tensor in tensors.items() if not name.startswith("classifier.")}

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Scores (N, K, H, W) of images of any size."""
        *skips, deepest = self.features.levels(padded(x_NCHW, self.multiple))
        missing = [None] * (len(self.decoder) - len(skips))
        for level, skip in zip(self.decoder, [*reversed(skips), *missing], strict=True):
            deepest = level(deepest, skip)
        scores: Tensor = self.score(deepest)
        return scores[..., : x_NCHW.shape[2], : x_NCHW.shape[3]]


class _Level(nn.Module):
    """Twice the side, joined with the maps of the way down where there are any, and two convolutions."""

    def __init__(self, below: int, skip: int, wide: int, batch_norm: bool) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(below, wide, 2, 2)
        layers = list[nn.Module]()
        for before in (skip + wide, wide):
            norm = [nn.BatchNorm2d(wide)] if batch_norm else []
            layers += [nn.Conv2d(before, wide, 3, padding=1), *norm, nn.ReLU(inplace=True)]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, below_NCHW: Tensor, skip_NCHW: Tensor | None) -> Tensor:
        up_NCHW = self.up(below_NCHW)
        joined: Tensor = self.convolutions(up_NCHW if skip_NCHW is None else torch.cat([skip_NCHW, up_NCHW], 1))
        return joined
