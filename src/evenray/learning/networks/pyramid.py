"""The feature pyramid of a VGG: its maps before each pooling, from the image's own resolution downwards."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from evenray.core.errors import UsageError
from evenray.core.spec import Step

from ._layers import Conv
from ._network import ConvNet
from ._registry import networks

__all__ = ["channels_of", "padded", "pyramid", "vgg_trunk"]


def vgg_trunk(spec: str, channels: int, size: int) -> nn.Sequential:
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
            f"{spec} cannot carry a decoder: its maps do not halve from pooling to pooling; give a VGG, as vgg16_bn."
        )
    return trunk


def pyramid(trunk: nn.Sequential, x_NCHW: Tensor) -> list[Tensor]:
    """The maps before each pooling, and what the last pooling makes of the last of them: pool number i halves i times.

    >>> import torch
    >>> [tuple(level.shape[1:]) for level in pyramid(vgg_trunk("vgg11(width=0.1)", 1, 32), torch.zeros(1, 1, 32, 32))]
    [(6, 32, 32), (12, 16, 16), (26, 8, 8), (52, 4, 4), (52, 2, 2), (52, 1, 1)]
    """
    levels = []
    for layer in trunk:
        if isinstance(layer, nn.MaxPool2d):
            levels.append(x_NCHW)
        x_NCHW = layer(x_NCHW)
    return [*levels, x_NCHW]


def channels_of(trunk: nn.Sequential) -> list[int]:
    """The channels of each level of the pyramid before its pooling."""
    found, wide = list[int](), 0
    for layer in trunk:
        wide = layer.out_channels if isinstance(layer, nn.Conv2d) else wide
        if isinstance(layer, nn.MaxPool2d):
            found.append(wide)
    return found


def padded(x_NCHW: Tensor, multiple: int) -> Tensor:
    """Continued to the right and below by its last pixels, so that both sides are multiples of `multiple`.

    >>> import torch
    >>> padded(torch.zeros(1, 1, 28, 37), 16).shape
    torch.Size([1, 1, 32, 48])
    """
    right, below = (-side % multiple for side in (x_NCHW.shape[3], x_NCHW.shape[2]))
    return functional.pad(x_NCHW, (0, right, 0, below), mode="replicate") if right or below else x_NCHW
