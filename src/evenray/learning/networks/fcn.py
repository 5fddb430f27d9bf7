"""FCN-8s (Long, Shelhamer & Darrell, CVPR 2015): a VGG as a fully convolutional network, a class for every pixel.

fc6 and fc7 become convolutions of 7 x 7 and 1 x 1 on what the last pooling leaves; their scores are enlarged twofold and added to
scores of the pooling before, and again; what comes of it is enlarged eightfold. Enlarging is by transposed convolutions that
begin as bilinear interpolation (section 4.3). The paper pads the image by 100 pixels and crops; here fc6 is padded, which
keeps the same places without the border.

>>> fcn8s(2, 1, 64, "vgg11(width=0.1)")(torch.zeros(1, 1, 45, 64)).shape
torch.Size([1, 2, 45, 64])
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from evenray.core.errors import UsageError

from ._layers import Dropout, scaled
from ._network import Network
from .pyramid import VGGTrunk, padded, vgg_trunk

__all__ = ["FCN8s", "fcn8s"]

WIDE = 8  # fc6 and fc7 have so many times the channels of the last convolution, 4096 of 512
POOLINGS = 5


def fcn8s(classes: int, channels: int, size: int, encoder: str = "vgg16", *, dropout: Dropout = 0.5) -> FCN8s:
    """FCN-8s on the convolutions of `encoder`, a VGG by its spec; in the paper vgg16."""
    trunk = vgg_trunk(encoder, channels, size)
    if len(trunk.channels) != POOLINGS:
        raise UsageError(f"{encoder} has {len(trunk.channels)} poolings; fcn8s takes a network of {POOLINGS}.")
    return FCN8s(trunk, classes, dropout)


class FCN8s(Network):
    """`features` by torchvision's names; `classifier` has the convolutions that were fc6 and fc7."""

    of_pixels = True

    def __init__(self, features: VGGTrunk, classes: int, dropout: float) -> None:
        super().__init__()
        self.features = features
        _, _, third, fourth, last = features.channels
        wide = scaled(WIDE * last, 1.0)
        self.classifier = nn.Sequential(
            nn.Conv2d(last, wide, 7, padding=3), nn.ReLU(inplace=True), nn.Dropout2d(dropout),
            nn.Conv2d(wide, wide, 1), nn.ReLU(inplace=True), nn.Dropout2d(dropout),
        )  # fmt: skip
        self.score = nn.Conv2d(wide, classes, 1)
        self.score_pool4, self.score_pool3 = nn.Conv2d(fourth, classes, 1), nn.Conv2d(third, classes, 1)
        self.upscore2, self.upscore_pool4 = (
            nn.ConvTranspose2d(classes, classes, 4, 2, 1, bias=False) for _ in range(2)
        )
        self.upscore8 = nn.ConvTranspose2d(classes, classes, 16, 8, 4, bias=False)
        self.blocks = [[f"features.{name}" for name in block] for block in features.blocks]
        ups = ("upscore2", "upscore_pool4", "upscore8")
        self.outputs = ("score", "score_pool4", "score_pool3")
        self.head_modules = ("classifier", *self.outputs, *ups)
        self.activations = [*(f"features.{name}" for name in features.activations), "classifier.4"]

    def converted(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Of a VGG's file the two wide linear layers as convolutions of 7 x 7 and 1 x 1 (section 3.1), where their widths fit."""
        fc6, fc7 = tensors.get("classifier.0.weight"), tensors.get("classifier.3.weight")
        if fc6 is not None and fc6.ndim == 4:  # a file of this network
            return tensors
        trunk = {name: tensor for name, tensor in tensors.items() if not name.startswith("classifier.")}
        fc6_here: Tensor = self.classifier.get_parameter("0.weight")
        wide, maps, *kernel = fc6_here.shape
        if fc6 is None or fc7 is None or fc6.shape != (wide, maps * 49) or fc7.shape != (wide, wide):
            return trunk
        return {
            **trunk,
            "classifier.0.weight": fc6.view(wide, maps, *kernel), "classifier.0.bias": tensors["classifier.0.bias"],
            "classifier.3.weight": fc7[..., None, None], "classifier.3.bias": tensors["classifier.3.bias"],
        }  # fmt: skip

    def materialise(self, seed: int) -> None:
        super().materialise(seed)
        for layer in (self.upscore2, self.upscore_pool4, self.upscore8):
            with torch.no_grad():
                layer.weight.copy_(bilinear(layer.out_channels, layer.kernel_size[0]))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Scores (N, K, H, W) of images of any size."""
        third, fourth, last = map(_pooled, self.features.levels(padded(x_NCHW, 2**POOLINGS))[2:])
        scores = self.upscore2(self.score(self.classifier(last))) + self.score_pool4(fourth)
        scores = self.upscore_pool4(scores) + self.score_pool3(third)
        found: Tensor = self.upscore8(scores)
        return found[..., : x_NCHW.shape[2], : x_NCHW.shape[3]]


def _pooled(level_NCHW: Tensor) -> Tensor:
    return torch.nn.functional.max_pool2d(level_NCHW, 2)


def bilinear(classes: int, kernel: int) -> Tensor:
    """Weights (K, K, kernel, kernel) of a transposed convolution that enlarges each class by itself, bilinearly.

    >>> bilinear(1, 4)[0, 0, 1]
    tensor([0.1875, 0.5625, 0.5625, 0.1875])
    """
    centre, factor = (kernel - 1) / 2, kernel / 2
    along = 1 - (torch.arange(kernel) - centre).abs() / factor
    weights = torch.zeros(classes, classes, kernel, kernel)
    weights[range(classes), range(classes)] = along[:, None] * along
    return weights
