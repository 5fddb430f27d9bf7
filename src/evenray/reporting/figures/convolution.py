"""The convolution of one patch, with the numbers in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .svg import INK, Svg, picture, rect, text

if TYPE_CHECKING:
    from evenray.evidence.explain.convolution import Step

__all__ = ["convolution"]

MAP, CELL, TOP = 190, 36, 50  # a whole map; one cell of the patch; where all of them begin
WINDOW = 'stroke="#d98032" stroke-width="2"'
DASHED = 'stroke="#888" stroke-width="1.5" stroke-dasharray="4 3"'
HATCH = (
    '<defs><pattern id="padding" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#f4f4f4"/><line y2="6" stroke="#bbb" stroke-width="2"/></pattern></defs>'
)


def convolution(step: Step) -> Svg:
    """A whole convolution at one place, from left to right: the input with the window on it; the window's surroundings
    enlarged, with the window one stride further dashed and the padding hatched; patch x filter = products for the
    channel of the input that counts most; the sum over all channels; the output.
    """
    source = int(np.abs(step.products.sum((1, 2))).argmax())
    channels, rows, columns = step.patch.shape
    around, wide = 20 + MAP + 30, max(columns * CELL, 130) + 30
    first = around + MAP + 30
    foot = TOP + max(MAP, rows * CELL)
    parts = [_input(step, 20), _surroundings(step, around), _output(step, first + 3 * wide)]
    grids = {
        f"patch, channel {source} of {channels}": step.patch, f"filter {step.channel}": step.weights,
        "products": step.products,
    }  # fmt: skip
    for place, (title, grid) in enumerate(grids.items()):
        parts.append(_grid(grid[source], step.inside, first + place * wide, title))
    for place, sign in enumerate("x="):
        at = first + place * wide + columns * CELL + 10
        parts.append(text(at, TOP + 4 + rows * CELL / 2, sign, "start", INK, size=18))
    over = f"sum over all {channels} channels" if channels > 1 else "sum of the products"
    sums = f"{over} {float(step.products.sum()):.4g} + bias {step.bias:.4g} = {step.output:.4g}"
    facts = f"{step.layer}: filter {rows} x {columns}, stride {step.stride}, padding {step.padding}"
    parts += [text(first, foot + 28, sums, "start", INK, size=14), text(20, 20, facts, "start", INK, size=14)]
    row, column = np.indices((rows, columns)).reshape(2, -1)
    data = pl.DataFrame({"row": row, "column": column} | {title: grid[source].ravel() for title, grid in grids.items()})
    return Svg(first + 3 * wide + MAP + 20, foot + 45, HATCH + "".join(parts), facts, data)


def _input(step: Step, x: float) -> str:
    height, width = step.input_map.shape
    scale = MAP / (max(height, width) + 2 * step.padding)
    left, top = x + step.padding * scale, TOP + step.padding * scale
    border = _frame(x, TOP, (height + 2 * step.padding) * scale, (width + 2 * step.padding) * scale, DASHED)
    mean = f", mean of {len(step.patch)} channels" if len(step.patch) > 1 else ""
    map_ = picture(_grey(step.input_map), left, top, scale)
    return _name(x, f"input {height} x {width}{mean}") + map_ + border + _window(step, left, top, scale, WINDOW)


def _surroundings(step: Step, x: float) -> str:
    """The pixels around the window one by one; hatched in the padding, nothing beyond it."""
    margin = step.stride + 1
    rows, columns = (side + 2 * margin for side in step.patch.shape[1:])
    scale = MAP / max(rows, columns)
    grey, (height, width), pad = _grey(step.input_map), step.input_map.shape, step.padding
    cells = []
    for i, j in np.ndindex(rows, columns):
        row, column = step.corner[0] - margin + i, step.corner[1] - margin + j
        inside = 0 <= row < height and 0 <= column < width
        if -pad <= row < height + pad and -pad <= column < width + pad:
            fill = "rgb({0},{0},{0})".format(grey[row, column]) if inside else "url(#padding)"
            cells.append(rect(x + j * scale, TOP + i * scale, scale, scale, fill))
    left, top = x - (step.corner[1] - margin) * scale, TOP - (step.corner[0] - margin) * scale
    further = _window(step, left + step.stride * scale, top, scale, DASHED)
    return _name(x, "around the window") + "".join(cells) + further + _window(step, left, top, scale, WINDOW)


def _output(step: Step, x: float) -> str:
    height, width = step.output_map.shape
    scale = MAP / max(height, width)
    row, column = step.place
    place = _frame(x + column * scale, TOP + row * scale, max(3, scale), max(3, scale), WINDOW)
    return _name(x, f"output {height} x {width}") + picture(_grey(step.output_map), x, TOP, scale) + place


def _grid(values: NDArray[np.float32], inside: NDArray[np.bool_], x: float, title: str) -> str:
    span = float(np.abs(values).max()) or 1.0
    cells = []
    for (i, j), value in np.ndenumerate(values):
        left, top = x + j * CELL, TOP + i * CELL
        fill = _blue_white_red(float(value) / span) if inside[i, j] else "url(#padding)"
        cells.append(rect(left, top, CELL, CELL, fill, 'stroke="#fff"'))
        cells.append(text(left + CELL / 2, top + CELL / 2 + 3, _short(float(value)), "middle", "#111", size=9))
    return _name(x, title) + "".join(cells)


def _window(step: Step, left: float, top: float, scale: float, stroke: str) -> str:
    rows, columns = step.patch.shape[1:]
    return _frame(left + step.corner[1] * scale, top + step.corner[0] * scale, rows * scale, columns * scale, stroke)


def _frame(x: float, y: float, height: float, width: float, stroke: str) -> str:
    return rect(x, y, width, height, "none", stroke)


def _name(x: float, words: str) -> str:
    return text(x, 38, words, "start", INK, size=11)


def _short(value: float) -> str:
    """At most six characters or so: 1360, 113, -2.24, 0.016."""
    digits = 0 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    shown = f"{value:.{digits}f}"
    return "0" if float(shown) == 0 else shown


def _blue_white_red(share: float) -> str:
    """-1 blue, 0 white, 1 red."""
    fade = round(255 - 155 * abs(share))
    return f"rgb(255,{fade},{fade})" if share > 0 else f"rgb({fade},{fade},255)"


def _grey(map_HW: NDArray[np.float32]) -> NDArray[np.uint8]:
    span = float(np.ptp(map_HW)) or 1.0
    return np.asarray((map_HW - map_HW.min()) / span * 255, np.uint8)
