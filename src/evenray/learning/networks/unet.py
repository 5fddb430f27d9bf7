"""U-Net (Ronneberger, Fischer & Brox, MICCAI 2015) on the convolutions of a VGG: a class for every pixel.

On the way up every level is a 2 x 2 transposed convolution to the channels of the pyramid's level there, joined with that level,
and two 3 x 3 convolutions to as many channels (figure 1 of the paper); a last 1 x 1 convolution gives the scores. Convolutions
are padded, so that the scores have the size of the image. The pyramid ends before the last pooling: VGG16 has four ways
up, as the paper's contracting path has.

>>> unet(2, 1, 64, "vgg11(width=0.1)")(torch.zeros(1, 1, 45, 64)).shape
torch.Size([1, 2, 45, 64])
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evenray.core.errors import UsageError

from ._network import Network, stages
from .pyramid import channels_of, padded, pyramid, vgg_trunk

__all__ = ["UNet", "unet"]


def unet(
    classes: int, channels: int, size: int, encoder: str = "vgg16_bn", *, batch_norm: bool | None = None, decoder: float = 1.0
) -> UNet:  # fmt: skip
    """A U-Net whose way down are the convolutions of `encoder`, a VGG by its spec.

    `batch_norm` says whether the way up has batch normalisation; by default as the encoder has. `decoder` is the share of the
    paper's channels that the way up has: with a quarter it costs an eighth, which suits an encoder that is frozen.
    """
    if not 0 < decoder <= 1:
        raise UsageError(f"decoder is {decoder:g}; give a share of the channels above 0, up to 1.")
    trunk = vgg_trunk(encoder, channels, size)
    normed = any(isinstance(layer, nn.BatchNorm2d) for layer in trunk)
    return UNet(trunk, classes, normed if batch_norm is None else batch_norm, decoder)


class UNet(Network):
    """`features` by torchvision's names, so that its weights fit; `decoder` has a level for each way up, the deepest first."""

    of_pixels = True

    def __init__(self, features: nn.Sequential, classes: int, batch_norm: bool, decoder: float = 1.0) -> None:
        super().__init__()
        self.features = features
        *skips, deepest = channels_of(features)
        levels = []
        for skip in reversed(skips):
            wide = max(1, round(skip * decoder))
            levels.append(_Level(deepest, skip, wide, batch_norm))
            deepest = wide
        self.decoder = nn.ModuleList(levels)
        self.score = nn.Conv2d(deepest, classes, 1)
        self.multiple = 2 ** len(skips)
        names = [f"features.{name}" for name, _ in features.named_children()]
        self.blocks = stages(names, list(features))
        self.head_modules, self.outputs = ("decoder", "score"), ("score",)
        self.activations = [
            *(name for name, layer in zip(names, features, strict=True) if isinstance(layer, nn.ReLU)),
            *(f"decoder.{i}.convolutions.{len(level.convolutions) - 1}" for i, level in enumerate(levels)),
        ]

    @property
    def attributed(self) -> Sequence[str]:
        """The first blocks of the way down, to a quarter of the side: what lies deeper is passed by, and maps on the way up are nearly
        the mask itself (Vinogradova et al. 2020)."""
        first = {name for block in self.blocks[:3] for name in block}
        return [name for name in self.activations if name in first]

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Scores (N, K, H, W) of images of any size."""
        *skips, deepest, _ = pyramid(self.features, padded(x_NCHW, self.multiple))
        for level, skip in zip(self.decoder, reversed(skips), strict=True):
            deepest = level(deepest, skip)
        scores: Tensor = self.score(deepest)
        return scores[..., : x_NCHW.shape[2], : x_NCHW.shape[3]]


class _Level(nn.Module):
    def __init__(self, below: int, skip: int, wide: int, batch_norm: bool) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(below, wide, 2, 2)
        layers = list[nn.Module]()
        for before in (skip + wide, wide):
            norm = [nn.BatchNorm2d(wide)] if batch_norm else []
            layers += [nn.Conv2d(before, wide, 3, padding=1), *norm, nn.ReLU(inplace=True)]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, below_NCHW: Tensor, skip_NCHW: Tensor) -> Tensor:
        joined: Tensor = self.convolutions(torch.cat([skip_NCHW, self.up(below_NCHW)], 1))
        return joined
