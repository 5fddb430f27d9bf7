"""The convolution of one patch as a picture: SVG with the numbers in it."""

from __future__ import annotations

import base64
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from .convolution import Step

__all__ = ["draw_step"]

MAP, CELL = 190, 36  # SVG units: a whole map; one cell of the patch
ACCENT = "#d98032"
HATCH = (
    '<defs><pattern id="padding" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#f4f4f4"/><line y2="6" stroke="#bbb" stroke-width="2"/></pattern></defs>'
)


def draw_step(step: Step, source: int | None = None) -> str:
    """A whole convolution at one place, from left to right: the input with the window on it; the window's surroundings
    enlarged, with the window one stride further dashed and the padding hatched; patch x filter = products for one
    channel of the input (`source`, by default the one that counts most); the sum over all channels; the output.

    >>> import torch
    >>> from evenray.learning.networks import build
    >>> from .convolution import convolution_step
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> draw_step(convolution_step(model, torch.rand(1, 1, 28, 28), "features.0")).startswith("<svg")
    True
    """
    if source is None:
        source = int(np.abs(step.products.sum((1, 2))).argmax())
    rows, columns = step.patch.shape[1:]
    wide = max(columns * CELL, 130)
    xs = [20, 20 + MAP + 30, 20 + 2 * (MAP + 30)]
    xs += [xs[2] + wide + 30, xs[2] + 2 * (wide + 30), xs[2] + 3 * (wide + 30)]
    foot = 50 + max(MAP, rows * CELL)
    parts = [_input(step, xs[0]), _surroundings(step, xs[1]), _output(step, xs[5])]
    for x, grid, title in (
        (xs[2], step.patch, f"patch, channel {source} of {len(step.patch)}"),
        (xs[3], step.weights, f"filter {step.channel}"),
        (xs[4], step.products, "products"),
    ):
        parts.append(_grid(grid[source], step.inside, x, title))
    middle = 54 + rows * CELL / 2
    signs = ((xs[2] + columns * CELL + 10, "x"), (xs[3] + columns * CELL + 10, "="))
    parts += [f'<text x="{x}" y="{middle:.0f}" font-size="18">{sign}</text>' for x, sign in signs]
    total = float(step.products.sum())
    over = f"sum over all {len(step.patch)} channels" if len(step.patch) > 1 else "sum of the products"
    text = f"{over} {total:.4g} + bias {step.bias:.4g} = {step.output:.4g}"
    parts.append(f'<text x="{xs[2]}" y="{foot + 28}" font-size="14">{text}</text>')
    facts = f"{step.layer}: filter {rows} x {columns}, stride {step.stride}, padding {step.padding}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {xs[5] + MAP + 20} {foot + 45}" role="img" '
        f'font-family="sans-serif" font-size="11" fill="currentColor"><title>{escape(facts)}</title>{HATCH}'
        f'<text x="20" y="20" font-size="14">{escape(facts)}</text>{"".join(parts)}</svg>'
    )


def _input(step: Step, x: float) -> str:
    height, width = step.input_map.shape
    scale = MAP / (max(height, width) + 2 * step.padding)
    left, top = x + step.padding * scale, 50 + step.padding * scale
    padding = _frame(x, 50, (width + 2 * step.padding) * scale, (height + 2 * step.padding) * scale, "padding")
    window = _window(step, left, top, scale, "window")
    mean = f", mean of {len(step.patch)} channels" if len(step.patch) > 1 else ""
    name = f'<text x="{x}" y="38">input {height} x {width}{mean}</text>'
    return f"{name}{_image(step.input_map, left, top, scale)}{padding}{window}"


def _surroundings(step: Step, x: float) -> str:
    """The pixels around the window one by one; hatched in the padding, nothing beyond it."""
    margin = step.stride + 1
    rows, columns = (side + 2 * margin for side in step.patch.shape[1:])
    scale = MAP / max(rows, columns)
    low, span = float(step.input_map.min()), float(np.ptp(step.input_map)) or 1.0
    height, width = step.input_map.shape
    cells = []
    for i, j in np.ndindex(rows, columns):
        row, column = step.corner[0] - margin + i, step.corner[1] - margin + j
        inside = 0 <= row < height and 0 <= column < width
        if not (-step.padding <= row < height + step.padding and -step.padding <= column < width + step.padding):
            continue
        grey = round((float(step.input_map[row, column]) - low) / span * 255) if inside else 0
        fill = f"rgb({grey},{grey},{grey})" if inside else "url(#padding)"
        place = f'x="{x + j * scale:.1f}" y="{50 + i * scale:.1f}" width="{scale:.1f}" height="{scale:.1f}"'
        cells.append(f'<rect {place} fill="{fill}"/>')
    left, top = x - (step.corner[1] - margin) * scale, 50 - (step.corner[0] - margin) * scale
    further = _window(step, left + step.stride * scale, top, scale, "padding")
    name = f'<text x="{x}" y="38">around the window</text>'
    return f"{name}{''.join(cells)}{further}{_window(step, left, top, scale, 'window')}"


def _window(step: Step, left: float, top: float, scale: float, kind: str) -> str:
    rows, columns = step.patch.shape[1:]
    return _frame(left + step.corner[1] * scale, top + step.corner[0] * scale, columns * scale, rows * scale, kind)


def _output(step: Step, x: float) -> str:
    height, width = step.output_map.shape
    scale = MAP / max(height, width)
    place = _frame(x + step.place[1] * scale, 50 + step.place[0] * scale, max(3, scale), max(3, scale), "window")
    return f'<text x="{x}" y="38">output {height} x {width}</text>{_image(step.output_map, x, 50, scale)}{place}'


def _grid(values: NDArray[np.float32], inside: NDArray[np.bool_], x: float, title: str) -> str:
    span = float(np.abs(values).max()) or 1.0
    cells = []
    for (i, j), value in np.ndenumerate(values):
        left, top = x + j * CELL, 50 + i * CELL
        colour = _blue_white_red(float(value) / span)
        fill = colour if inside[i, j] else "url(#padding)"
        cells.append(f'<rect x="{left}" y="{top}" width="{CELL}" height="{CELL}" fill="{fill}" stroke="#fff"/>')
        middle = f'x="{left + CELL / 2}" y="{top + CELL / 2 + 3}" text-anchor="middle"'
        cells.append(f'<text {middle} font-size="9" fill="#111">{_number(float(value))}</text>')
    return f'<text x="{x}" y="38">{escape(title)}</text>{"".join(cells)}'


def _number(value: float) -> str:
    """At most six characters or so: 1360, 113, -2.24, 0.016."""
    digits = 0 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    text = f"{value:.{digits}f}"
    return "0" if float(text) == 0 else text


def _blue_white_red(share: float) -> str:
    """-1 blue, 0 white, 1 red."""
    fade = round(255 - 155 * abs(share))
    return f"rgb(255,{fade},{fade})" if share > 0 else f"rgb({fade},{fade},255)"


def _image(map_HW: NDArray[np.float32], x: float, y: float, scale: float) -> str:
    low, high = float(map_HW.min()), float(map_HW.max())
    grey = ((map_HW - low) / ((high - low) or 1) * 255).astype(np.uint8)
    data = base64.b64encode(cv2.imencode(".png", grey)[1].tobytes()).decode()
    height, width = grey.shape
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width * scale:.1f}" height="{height * scale:.1f}" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def _frame(x: float, y: float, width: float, height: float, kind: str) -> str:
    style = (
        f'stroke="{ACCENT}" stroke-width="2"'
        if kind == "window"
        else 'stroke="#888" stroke-width="1.5" stroke-dasharray="4 3"'
    )
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="none" {style}/>'
