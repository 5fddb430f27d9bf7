"""The anatomy of a network: every layer's shape, cost, and what part of the image one of its values sees.

Only shapes are computed, so this takes milliseconds and no memory however large the network is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ._classifier import Classifier
from ._layers import Conv, SameConv
from ._network import Network, shapes
from ._registry import bound

__all__ = ["Layer", "Sight", "anatomy", "as_text", "totals"]

BYTES = 4  # float32


@dataclass(frozen=True)
class Sight:
    """What one value of a map sees along one axis: `field` pixels, the first map value's from pixel `start` (negative:
    in the padding), the next one's `jump` pixels further (Araujo et al. 2019, "Computing receptive fields")."""

    field: int = 1
    jump: int = 1
    start: int = 0

    def through(self, kernel: int, stride: int, padding: int) -> Sight:
        """Behind a window over this map.

        >>> Sight().through(3, 1, 1).through(2, 2, 0)
        Sight(field=4, jump=2, start=-1)
        """
        return Sight(self.field + (kernel - 1) * self.jump, self.jump * stride, self.start - padding * self.jump)


@dataclass(frozen=True)
class Layer:
    """One row: names, geometry, costs for one image. A linear layer sees the whole image: its `sight` is None.

    `kernel`, `stride` and `padding` are None where the layer has none; `output` is (C, H, W) or (D,);
    `multiply_adds` counts convolutions and linear layers; `activation_bytes` is the output in float32, 0 where the
    layer works in place.
    """

    name: str
    kind: str
    kernel: int | None
    stride: int | None
    padding: int | None
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    sight: Sight | None


def anatomy(network: str | Classifier, *, classes: int = 1000, channels: int = 3, size: int = 224) -> list[Layer]:
    """The layers in the order of computation, for a spec or for a Classifier (which brings its own three numbers).

    Auxiliary heads, which only train, are not among them. Where branches meet, the widest receptive field counts.

    >>> conv = anatomy("vgg16")[28]
    >>> conv.name, conv.output, conv.parameters, conv.sight.field
    ('features.28', (512, 14, 14), 2359808, 196)
    """
    if isinstance(network, Classifier):
        channels, size = network.channels, network.size
        module: Network = network.network
    else:
        with torch.device("meta"):
            module = bound(network)(classes, channels, size)
    tracer = _Tracer(module)
    try:
        shapes(module, tracer.image(channels, size))
    finally:
        tracer.close()
    return tracer.layers


def totals(layers: Sequence[Layer]) -> dict[str, int]:
    """Parameters, multiply-adds and activation bytes of one image, summed.

    >>> totals(anatomy("vgg16"))
    {'parameters': 138357544, 'multiply_adds': 15470264320, 'activation_bytes': 60348320}
    """
    names = ("parameters", "multiply_adds", "activation_bytes")
    return {name: sum(getattr(layer, name) for layer in layers) for name in names}


def as_text(layers: Sequence[Layer]) -> str:
    """The table as aligned text, with the totals below."""
    head = ("layer", "kind", "filter", "stride", "pad", "output", "parameters", "multiply-adds", "kB", "sees", "jump")
    rows = [head, *(_row(layer) for layer in layers)]
    found = totals(layers)
    rows.append(("total", "", "", "", "", "", f"{found['parameters']:,}", f"{found['multiply_adds']:,}", "", "", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    texts = ("  ".join(_aligned(row[i], widths[i], i < 2) for i in range(len(head))).rstrip() for row in rows)
    return "\n".join(texts)


def _row(layer: Layer) -> tuple[str, ...]:
    return (
        layer.name,
        layer.kind,
        "" if layer.kernel is None else f"{layer.kernel} x {layer.kernel}",
        "" if layer.stride is None else str(layer.stride),
        "" if layer.padding is None else str(layer.padding),
        " x ".join(str(side) for side in layer.output),
        f"{layer.parameters:,}" if layer.parameters else "",
        f"{layer.multiply_adds:,}" if layer.multiply_adds else "",
        f"{layer.activation_bytes / 1000:,.0f}",
        "all" if layer.sight is None else str(layer.sight.field),
        "" if layer.sight is None else str(layer.sight.jump),
    )


def _aligned(text: str, width: int, left: bool) -> str:
    return text.ljust(width) if left else text.rjust(width)


class _Tracer:
    """Follows the receptive field from tensor to tensor by forward hooks on the modules that compute."""

    def __init__(self, module: nn.Module) -> None:
        self.layers: list[Layer] = []
        self.sights: dict[int, Sight | None] = {}
        self.owners: list[tuple[int, Sight | None]] = []
        self.kept: list[Tensor] = []  # so that no identity is used twice
        self.handles = []
        for name, child in module.named_modules():
            if not list(child.children()):
                self.handles.append(child.register_forward_hook(self._leaf(name)))
            elif name:
                self.handles.append(child.register_forward_hook(self._join))

    def image(self, channels: int, size: int) -> Tensor:
        image = torch.empty(1, channels, size, size, device="meta")
        self._note(image, Sight())
        return image

    def close(self) -> None:
        for handle in self.handles:
            handle.remove()

    def _note(self, tensor: Tensor, sight: Sight | None) -> None:
        self.kept.append(tensor)
        self.sights[id(tensor)] = sight

    def _leaf(self, name: str) -> Any:
        def hook(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            before = self.sights.get(id(args[0])) if args[0].ndim == 4 else None
            kernel, stride, padding = _window(module, args[0])
            sight = before if kernel is None or before is None else before.through(kernel, stride or 1, padding or 0)
            sight = sight if output.ndim == 4 else None
            self._note(output, sight)
            self.owners.append((id(module), sight))
            if not isinstance(module, nn.Identity | nn.Dropout):
                layer = _layer(name, module, (kernel, stride, padding), output, sight)
                self.layers.append(replace(layer, activation_bytes=0) if output is args[0] else layer)

        return hook

    def _join(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        """A module of modules: its output, if it is new, sees what the widest of the layers inside it sees."""
        if id(output) in self.sights:
            return
        inside = {id(child) for child in module.modules()}
        found = [sight for owner, sight in self.owners if owner in inside and sight is not None]
        self._note(output, max(found, key=lambda sight: sight.field, default=None))


def _window(module: nn.Module, x_NCHW: Tensor) -> tuple[int | None, int | None, int | None]:
    if not isinstance(module, nn.Conv2d | nn.MaxPool2d):
        return None, None, None
    pads = module.pads(x_NCHW) if isinstance(module, Conv | SameConv) else module.padding
    kernel, stride, padding = (_first(value) for value in (module.kernel_size, module.stride, pads))
    return kernel, stride, padding


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)


def _layer(
    name: str, module: nn.Module, window: tuple[int | None, int | None, int | None], output: Tensor, sight: Sight | None
) -> Layer:
    shape = tuple(output.shape[1:])
    multiply_adds = 0
    if isinstance(module, nn.Conv2d | nn.Linear):
        places = shape[1] * shape[2] if len(shape) == 3 else 1
        multiply_adds = module.weight.numel() * places
    return Layer(
        name,
        type(module).__name__,
        *window,
        shape,
        sum(parameter.numel() for parameter in module.parameters()),
        multiply_adds,
        output[0].numel() * BYTES,
        sight,
    )
