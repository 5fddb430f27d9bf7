"""A network, drawn to scale."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from .svg import INK, PAPER, Svg, line, polygon, rect, text

if TYPE_CHECKING:
    from evenray.learning.networks.volumes import Volume

__all__ = ["network"]

HEIGHT = 180.0  # of the image
LENGTH = 760.0  # of all maps together
GAP, SLANT, BAR, LINE = 7.0, 0.32, 9.0, 15.0
UNITS = 1000  # the least that a full-height bar stands for
COLOURS = {"image": "#9aa0a6", "convolution": "#3b78b5", "pool": "#d98032", "linear": "#4f9a5b"}
FLOOR = HEIGHT * (1 + SLANT) + 40


def network(volumes: Sequence[Volume], title: str) -> Svg:
    """The maps that an image becomes on its way through a network, about 1100 x 330.

    Heights are the sides of the maps, thicknesses their number, bars the vectors of linear layers, each to its own
    scale, which is drawn below. The first volume is the image.
    """
    pixel = HEIGHT / volumes[0].side
    thick = LENGTH / max(1, sum(volume.maps for volume in volumes if volume.side))
    unit = HEIGHT / max(UNITS, *(volume.maps for volume in volumes if not volume.side))
    x, parts, labels = 20.0, [], -LINE
    for before, volume, after in zip([None, *volumes], volumes, [*volumes[1:], None], strict=False):
        if before is None or before.label != volume.label or not volume.side:
            labels = max(x, labels + LINE)
            parts.append(text(labels + 4, FLOOR + 10, volume.label, "start", INK, size=11, turn=45))
        if volume.side:
            wide = max(1.5, thick * volume.maps)
            parts.append(_slab(volume, x, wide, pixel * volume.side))
            x += wide + GAP + max(0.0, SLANT * pixel * (volume.side - (after.side if after else 0)))
        else:
            tall = max(1.5, unit * volume.maps)
            parts.append(_told(volume, rect(x + GAP, FLOOR - tall, BAR, tall, COLOURS[volume.kind])))
            x += BAR + 2 * GAP
    widest = max(volume.maps for volume in volumes if volume.side)
    parts += _scales(
        {
            f"side: {volumes[0].side} pixels": HEIGHT,
            f"thickness: {widest} maps": widest * thick,
            f"bar: {HEIGHT / unit:.0f} units": HEIGHT,
        }
    )
    data = pl.DataFrame(
        [(volume.kind, volume.maps, volume.side) for volume in volumes], ("kind", "maps", "side"), orient="row"
    )
    return Svg(x + 40, FLOOR + 125, text(20, 20, title, "start", INK, size=14) + "".join(parts), title, data)


def _told(volume: Volume, body: str) -> str:
    return f"<g><title>{escape(volume.kind)} {volume.label}</title>{body}</g>"


def _slab(volume: Volume, x: float, thick: float, side: float) -> str:
    """A slab seen from the front left: the front face is its thickness, the side face its maps' own plane."""
    slant, colour, top = SLANT * side, COLOURS[volume.kind], FLOOR - side
    right, far = x + thick, x + thick + slant
    edge = f'stroke="{PAPER}" stroke-width="0.6"'
    lid = [(x, top), (x + slant, top - slant), (far, top - slant), (right, top)]
    flank = [(right, top), (far, top - slant), (far, FLOOR - slant), (right, FLOOR)]
    faces = polygon(lid, colour, f'fill-opacity="0.55" {edge}') + polygon(flank, colour, f'fill-opacity="0.75" {edge}')
    return _told(volume, faces + rect(x, top, thick, side, colour, edge))


def _scales(bars: dict[str, float]) -> list[str]:
    """What each kind of length stands for, and the colours."""
    parts, x, y = [], 20.0, FLOOR + 92
    for words, length in bars.items():
        parts += [line(x, y, x + length, y, INK, 2), text(x, y + 15, words, "start", INK, size=11)]
        x += max(length, 130) + 25
    for kind, colour in COLOURS.items():
        parts += [rect(x, y - 5, 10, 10, colour), text(x + 14, y + 4, kind, "start", INK, size=11)]
        x += 90
    return parts
