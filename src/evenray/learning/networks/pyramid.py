"""The feature pyramid of a trunk: its maps at each resolution, from the finest downwards."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from evenray.core.errors import UsageError
from evenray.core.spec import Step

from ._layers import Conv
from ._network import ConvNet, stages
from ._registry import networks
from .efficientnet_lite import LiteTrunk, efficientnet_lite0

__all__ = ["Trunk", "VGGTrunk", "padded", "trunk_of", "vgg_trunk"]


class VGGTrunk(nn.Sequential):
    """The convolutions and poolings of a VGG, without a head. `channels` are those of its `levels`, the first of which have
    `finest` pixels of the image beside each other in a place; `blocks` and `activations` are as in `Network`."""

    finest = 1

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.channels, wide = list[int](), 0
        for layer in layers:
            wide = layer.out_channels if isinstance(layer, nn.Conv2d) else wide
            if isinstance(layer, nn.MaxPool2d):
                self.channels.append(wide)
        names = [name for name, _ in self.named_children()]
        self.blocks = stages(names, layers)
        self.activations = [name for name, layer in zip(names, layers, strict=True) if isinstance(layer, nn.ReLU)]

    def levels(self, x_NCHW: Tensor) -> list[Tensor]:
        """The maps before each pooling, of which the first have the image's own resolution.

        >>> import torch
        >>> [tuple(level.shape[1:]) for level in vgg_trunk("vgg11(width=0.1)", 1, 32).levels(torch.zeros(1, 1, 32, 32))]
        [(6, 32, 32), (12, 16, 16), (26, 8, 8), (52, 4, 4), (52, 2, 2)]
        """
        levels = list[Tensor]()
        for layer in self:
            if isinstance(layer, nn.MaxPool2d):
                levels.append(x_NCHW)
            x_NCHW = layer(x_NCHW)
        return levels


Trunk = VGGTrunk | LiteTrunk


def trunk_of(spec: str, channels: int, size: int) -> Trunk:
    """What a decoder can stand on, by the spec of a classifier: a VGG's or EfficientNet-Lite's; UsageError for any other.

    >>> import torch
    >>> [tuple(level.shape[1:]) for level in trunk_of("efficientnet_lite0", 1, 64).levels(torch.zeros(1, 1, 64, 64))]
    [(16, 32, 32), (24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]
    """
    made = networks.bind(spec)
    if made.func is efficientnet_lite0:
        return LiteTrunk(channels, made.keywords.get("width", 1.0))
    return vgg_trunk(spec, channels, size)


def vgg_trunk(spec: str, channels: int, size: int) -> VGGTrunk:
    """The convolutions of a network whose poolings alone halve its maps, by its spec; UsageError for any other.

    >>> len(vgg_trunk("vgg16", 1, 64))
    31
    """
    headless = {"head": "average"} if "head" in networks.parameters(Step.of(spec).name) else {}
    made = networks.bind(spec)(2, channels, size, **headless)
    trunk = made.features if isinstance(made, ConvNet) else nn.Sequential()
    layers = [layer for layer in trunk if isinstance(layer, nn.Conv2d | nn.MaxPool2d)]
    keeps = [
        layer.stride == (1, 1) and layer.padding == tuple(side // 2 for side in layer.kernel_size)
        for layer in layers
        if isinstance(layer, nn.Conv2d) and not isinstance(layer, Conv)
    ]
    halves = [layer.kernel_size == 2 and layer.stride == 2 for layer in layers if isinstance(layer, nn.MaxPool2d)]
    if not halves or len(keeps) + len(halves) < len(layers) or not all(keeps + halves):
        raise UsageError(
            f"{spec} cannot carry this network: its maps do not halve from pooling to pooling; give a VGG, as vgg16_bn."
        )
    return VGGTrunk(*trunk)


def padded(x_NCHW: Tensor, multiple: int) -> Tensor:
    """Continued to the right and below by its last pixels, so that both sides are multiples of `multiple`.

    >>> import torch
    >>> padded(torch.zeros(1, 1, 28, 37), 16).shape
    torch.Size([1, 1, 32, 48])
    """
    right, below = (-side % multiple for side in (x_NCHW.shape[3], x_NCHW.shape[2]))
    return functional.pad(x_NCHW, (0, right, 0, below), mode="replicate") if right or below else x_NCHW
