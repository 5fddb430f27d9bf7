"""A figure of a network, drawn to scale, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from torch import Tensor, nn

from ._classifier import Classifier
from ._network import Network
from ._registry import networks

__all__ = ["figure"]

HEIGHT = 180.0  # of the image, in SVG units
LENGTH = 760.0  # of all maps together
GAP, SLANT, BAR, LINE = 7.0, 0.32, 9.0, 15.0
UNITS = 1000  # the least that a full-height bar stands for
COLOURS = {"image": "#9aa0a6", "convolution": "#3b78b5", "pool": "#d98032", "linear": "#4f9a5b"}


@dataclass(frozen=True)
class _Solid:
    """Something to draw: a map of `maps` x side x side, or a vector of `maps` units with side 0."""

    kind: str
    maps: int
    side: int

    @property
    def label(self) -> str:
        return f"{self.maps} x {self.side} x {self.side}" if self.side else str(self.maps)


def figure(network: str | Classifier, *, classes: int = 1000, channels: int = 3, size: int = 224) -> str:
    """The maps that an image becomes on its way through a network: an SVG of about 1100 x 330 units.

    Heights are the sides of the maps, thicknesses their number, bars the vectors of linear layers, each to its own
    scale, which is drawn below. Side-by-side branches are drawn as the map that they join to.

    >>> figure("vgg11(width=0.1)", classes=2, channels=1, size=28).startswith("<svg")
    True
    """
    if isinstance(network, Classifier):
        classes, channels, size = network.classes, network.channels, network.size
        module, title = network.network, str(network.description["spec"])
    else:
        title = network
        with torch.device("meta"):
            module = networks.bind(network)(classes, channels, size)
    solids = [_Solid("image", channels, size), *_solids(module, channels, size)]
    return _svg(solids, f"{title}: {channels} x {size} x {size} to {classes} classes", size)


def _solids(module: Network, channels: int, size: int) -> list[_Solid]:
    found: list[_Solid] = []

    def note(kind: str) -> Any:
        def hook(layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            found.append(_Solid(kind, int(output.shape[1]), int(output.shape[2]) if output.ndim == 4 else 0))

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


def _svg(solids: Sequence[_Solid], title: str, size: int) -> str:
    pixel = HEIGHT / size
    thick = LENGTH / max(1, sum(solid.maps for solid in solids if solid.side))
    unit = HEIGHT / max(UNITS, *(solid.maps for solid in solids if not solid.side))
    floor, x, parts, labels = HEIGHT * (1 + SLANT) + 40, 20.0, [], -LINE
    for i, solid in enumerate(solids):
        if i == 0 or solids[i - 1].label != solid.label or not solid.side:
            labels = max(x, labels + LINE)
            parts.append(_label(solid.label, labels, floor))
        if solid.side:
            parts.append(_box(solid, x, floor, thick * solid.maps, pixel * solid.side))
            slant = SLANT * pixel * (solid.side - (solids[i + 1].side if i + 1 < len(solids) else 0))
            x += max(1.5, thick * solid.maps) + GAP + max(0.0, slant)
        else:
            tall = max(1.5, unit * solid.maps)
            x += GAP
            parts.append(_rectangle(x, floor - tall, BAR, tall, solid))
            x += BAR + GAP
    parts += _scales(floor + 92, pixel, thick, unit, size, solids)
    wide, tall = x + 40, floor + 125
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {tall:.0f}" role="img" '
        f'font-family="sans-serif" font-size="11"><title>{escape(title)}</title>'
        f'<text x="20" y="20" font-size="14" fill="currentColor">{escape(title)}</text>{"".join(parts)}</svg>'
    )


def _box(solid: _Solid, x: float, floor: float, thick: float, side: float) -> str:
    """A slab seen from the front left: the front face is its thickness, the side face its maps' own plane."""
    thick, slant, colour = max(1.5, thick), SLANT * side, COLOURS[solid.kind]
    top = floor - side
    lid = f"{x:.1f},{top:.1f} {x + slant:.1f},{top - slant:.1f} {x + slant + thick:.1f},{top - slant:.1f} {x + thick:.1f},{top:.1f}"
    flank = (
        f"{x + thick:.1f},{top:.1f} {x + slant + thick:.1f},{top - slant:.1f} "
        f"{x + slant + thick:.1f},{floor - slant:.1f} {x + thick:.1f},{floor:.1f}"
    )
    edge = 'stroke="#fff" stroke-width="0.6"'
    return (
        f"<g><title>{escape(solid.kind)} {solid.label}</title>"
        f'<polygon points="{lid}" fill="{colour}" fill-opacity="0.55" {edge}/>'
        f'<polygon points="{flank}" fill="{colour}" fill-opacity="0.75" {edge}/>'
        f'<rect x="{x:.1f}" y="{top:.1f}" width="{thick:.1f}" height="{side:.1f}" fill="{colour}" {edge}/></g>'
    )


def _rectangle(x: float, y: float, width: float, height: float, solid: _Solid) -> str:
    shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<g><title>{solid.kind} {solid.label}</title><rect {shape} fill="{COLOURS[solid.kind]}"/></g>'


def _label(text: str, x: float, floor: float) -> str:
    return f'<text transform="translate({x + 4:.1f},{floor + 10:.1f}) rotate(45)" fill="currentColor">{text}</text>'


def _scales(y: float, pixel: float, thick: float, unit: float, size: int, solids: Sequence[_Solid]) -> list[str]:
    widest = max(solid.maps for solid in solids if solid.side)
    bars = [(f"side: {size} pixels", size * pixel), (f"thickness: {widest} maps", widest * thick)]
    bars.append((f"bar: {HEIGHT / unit:.0f} units", HEIGHT))
    parts, x = [], 20.0
    for text, length in bars:
        parts.append(f'<line x1="{x}" x2="{x + length:.1f}" y1="{y}" y2="{y}" stroke="currentColor" stroke-width="2"/>')
        parts.append(f'<text x="{x}" y="{y + 15}" fill="currentColor">{text}</text>')
        x += max(length, 130) + 25
    for kind, colour in COLOURS.items():
        parts.append(f'<rect x="{x}" y="{y - 5}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14}" y="{y + 4}" fill="currentColor">{kind}</text>')
        x += 90
    return parts
