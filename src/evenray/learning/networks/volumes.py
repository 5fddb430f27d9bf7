"""The maps that an image becomes on its way through a network: what a figure of it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ._classifier import Classifier
from ._registry import bound

__all__ = ["Volume", "volumes"]


@dataclass(frozen=True)
class Volume:
    """Maps (`maps` x side x side), or a vector of `maps` units with side 0; `kind` is image, convolution, pool or linear."""

    kind: str
    maps: int
    side: int

    @property
    def label(self) -> str:
        return f"{self.maps} x {self.side} x {self.side}" if self.side else str(self.maps)


def volumes(network: str | Classifier, *, classes: int = 1000, channels: int = 3, size: int = 224) -> list[Volume]:
    """The image and what every convolution, pool and linear layer makes of it, in the order of computation.

    Side-by-side branches are the map that they join to.

    >>> [volume.label for volume in volumes("vgg11(width=0.1)", classes=2, channels=1, size=28)][:3]
    ['1 x 28 x 28', '6 x 28 x 28', '6 x 14 x 14']
    """
    if isinstance(network, Classifier):
        channels, size, module = network.channels, network.size, network.network
    else:
        with torch.device("meta"):
            module = bound(network)(classes, channels, size)
    found = [Volume("image", channels, size)]

    def note(kind: str) -> Any:
        def hook(layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            found.append(Volume(kind, int(output.shape[1]), int(output.shape[2]) if output.ndim == 4 else 0))

        return hook

    inside = tuple(f"{name}." for name in module.activations)
    handles = [module.get_submodule(name).register_forward_hook(note("convolution")) for name in module.activations]
    for name, layer in module.named_modules():
        if isinstance(layer, nn.MaxPool2d | nn.Linear) and not name.startswith(inside):
            handles.append(layer.register_forward_hook(note("linear" if isinstance(layer, nn.Linear) else "pool")))
    module.pass_shapes(channels, size)
    for handle in handles:
        handle.remove()
    return found
