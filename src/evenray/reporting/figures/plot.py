"""Charts: scales, axes, marks and a legend, no more than the figures need (docs/decisions/0008).

What a `Plot` is asked for is drawn in that order, later marks over earlier ones; `drawn` puts the axes under them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .series import Series, tidy
from .svg import GREY, INK, LINE, SIZE, Svg, line, path, pixel, rect, shortened, text, text_width

__all__ = ["Axis", "Plot", "Scale", "axis", "layer", "legend_of", "stacked"]

TICK, GAP, EDGE, ROW = 4, 8, 4, 18  # a tick, from an axis to its title, around the drawing, a line of the legend
Values = Sequence[float] | NDArray[Any]


@dataclass(frozen=True)
class Scale:
    """Where values lie between two ends; `root` spreads what is near zero by the square root, `log` by the logarithm.

    >>> Scale(0, 4).share([1, 4]), Scale(0, 4, root=True).share(1)
    (array([0.25, 1.  ]), array(0.5))
    """

    low: float
    high: float
    root: bool = False
    log: bool = False

    def share(self, values: Any) -> NDArray[np.float64]:
        """0 at the low end, 1 at the high one."""
        found, ends = np.asarray(values, np.float64), np.array([self.low, self.high], np.float64)
        if self.root:
            found, ends = np.sqrt(np.maximum(found, 0)), np.sqrt(ends)
        if self.log:
            found, ends = np.log(np.maximum(found, 1e-300)), np.log(ends)
        return np.asarray((found - ends[0]) / ((ends[1] - ends[0]) or 1.0))


@dataclass(frozen=True)
class Axis:
    """A scale, what stands at its ticks, and a title; `grid` draws a line from each tick."""

    scale: Scale
    ticks: Mapping[float, str]
    title: str = ""
    grid: bool = True


def axis(
    values: Iterable[float], title: str = "", *, words: Callable[[float], str] | None = None, count: int = 5,
    least: float = 0.0, nice: bool = True, zero: bool = False, grid: bool = True,
) -> Axis:  # fmt: skip
    """The axis of some values, with about `count` ticks at least `least` apart.

    It ends at ticks where it is `nice`, else at the values' ends, and begins at 0 where `zero` is wanted.

    >>> list(axis([3, 97], zero=True).ticks.values())
    ['0', '20', '40', '60', '80', '100']
    """
    known = [float(value) for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    low, high = (min(low, 0.0), max(high, 0.0)) if zero else (low, high)
    high = high if high > low else low + 1.0
    step = max(_step((high - low) / count), least)
    if nice:
        low, high = step * math.floor(low / step + 1e-9), step * math.ceil(high / step - 1e-9)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    named = words or (lambda value: f"{value:,.{places}f}")
    return Axis(Scale(low, high), {k * step: named(k * step) for k in range(first, last + 1)}, title, grid)


def _step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, whichever is nearest on a logarithmic scale.

    >>> _step(18.8), _step(0.04)
    (20.0, 0.05)
    """
    power = 10.0 ** math.floor(math.log10(rough))
    return round(power * next(f for f, to in ((1, 2), (2, 10), (5, 50), (10, 101)) if rough / power < to**0.5), 12)


class Plot:
    """Marks over a pair of axes; `width` and `height` are the pixels inside them, all places are in the axes' values.

    `series` collects the numbers of what is drawn; dashed lines, which are there to be compared with, have none.
    """

    def __init__(self, width: float, height: float, x: Axis, y: Axis) -> None:
        self.width, self.height, self.x, self.y = width, height, x, y
        self.marks: list[str] = []
        self.series: list[Series] = []
        self.panel = ""

    def line(
        self, x: Values, y: Values, colour: str, width: float = 2, dash: str = "", opacity: float = 1, step: str = ""
    ) -> None:
        """Points joined in their order, straight or in steps "after" or "before" the change of x; NaN is left out."""
        points = self._places(x, y)
        if len(points) > 1:
            look = _stroke(colour, width, opacity, dash)
            self._mark("line", f'<path d="M{path(points, step)}" fill="none"{look}/>')
            if not dash:
                self._tell(colour, x, y, step)

    def area(
        self, x: Values, y: Values, colour: str, opacity: float, low: Values | None = None, step: str = ""
    ) -> None:
        """From the points down to those of `low`, or to the bottom."""
        upper = self._places(x, y)
        if len(upper):
            bottom = np.array([[upper[-1, 0], self.height], [upper[0, 0], self.height]])
            lower = bottom if low is None else self._places(x, low)[::-1]
            outline = f"M{path(upper, step)}L{path(lower)}Z"
            self._mark("area", f'<path d="{outline}" fill="{colour}" opacity="{opacity:g}"/>')
            self._tell(colour, x, y, step, low)

    def dots(
        self, x: Values, y: Values, colour: str, radius: float, words: Sequence[str] = (), edge: tuple[str, float] = ("", 1),
        name: str = "",
    ) -> None:  # fmt: skip
        """A circle at each point, with what it stands for; by the layer's `name` a script finds and moves it."""
        look = f' r="{radius:g}" fill="{colour}"{_stroke(*edge) if edge[0] else ""}'
        drawn = [
            f'<circle transform="translate({pixel(a)},{pixel(b)})"{look}{_said(words[i]) if words else ""}/>'
            for i, (a, b) in enumerate(zip(*self._pixels(x, y), strict=True))
            if math.isfinite(a) and math.isfinite(b)
        ]
        self._mark("dots", "".join(drawn), name)
        if not name:
            self._tell(colour, x, y)

    def upright(self, x: float, colour: str, width: float, name: str = "") -> None:
        """A line over the whole height, which a script finds by the layer's `name`."""
        place = f'transform="translate({pixel(self._pixels([x], [0])[0][0])},0)"'
        self._mark("rule", f'<line {place} y2="{self.height:g}"{_stroke(colour, width)}/>', name)

    def words(self, right: float, down: float, words: str, anchor: str = "start", *, bold: bool = False) -> None:
        """Words so many pixels from the upper left corner; bold ones are the name of the panel."""
        self.panel = words if bold else self.panel
        self._mark("words", text(right, down, words, anchor, INK, bold=bold))

    def drawn(self, label: str, legend: Mapping[str, str] | None = None, data: pl.DataFrame | None = None) -> Svg:
        """The marks and the axes, under a `legend` of names and colours; `data` where it says more than the marks."""
        return stacked([self], label, legend, data=data)

    def _tell(self, colour: str, x: Values, y: Values, step: str = "", low: Values | None = None) -> None:
        """Keep the numbers of a mark; steps have a beginning and an end."""
        across, up = self.x.title or "x", self.y.title or "y"
        up = f"{up} (y)" if up == across else up
        told: dict[str, Values] = {across: x, up: y}
        if step == "after":
            told = {across: x[:-1], f"{across} (end)": x[1:], up: y[:-1]}
        elif low is not None:
            told = {across: x, f"{up} (low)": low, f"{up} (high)": y}
        self.series.append(Series(colour, told))

    def _pixels(self, x: Values, y: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.width * self.x.scale.share(x), self.height * (1 - self.y.scale.share(y))

    def _places(self, x: Values, y: Values) -> NDArray[np.float64]:
        found = np.stack(self._pixels(x, y), axis=1)
        return found[np.isfinite(found).all(axis=1)]

    def _mark(self, kind: str, body: str, name: str = "") -> None:
        self.marks.append(layer(kind, body, name))

    # -- around the marks -------------------------------------------------------------------------------------------
    @property
    def left(self) -> float:
        """Pixels that the upright axis takes."""
        labels = max((text_width(words) for words in self.y.ticks.values()), default=0.0)
        return TICK + 2 + labels + ((GAP + SIZE) if self.y.title else 0)

    @property
    def below(self) -> float:
        """Pixels that the lying axis takes."""
        return TICK + 2 + (SIZE if any(self.x.ticks.values()) else 0) + ((GAP + SIZE) if self.x.title else 0)

    def framed(self, left: float) -> str:
        """Grid, axes and over them the marks; the title of the upright axis stands `left` of it."""
        across = [(float(self._pixels([at], [0])[0][0]), words) for at, words in self.x.ticks.items()]
        up = [(float(self._pixels([0], [at])[1][0]), words) for at, words in self.y.ticks.items()]
        foot = self.height
        grid = [line(x, 0, x, foot, LINE) for x, _ in across if self.x.grid]
        grid += [line(0, y, self.width, y, LINE) for y, _ in up if self.y.grid]
        axes = [line(0, foot, self.width, foot, GREY), line(0, 0, 0, foot, GREY)]
        for x, words in across:
            axes += [line(x, foot, x, foot + TICK, GREY), text(x, foot + TICK + 2 + 0.8 * SIZE, words, "middle")]
        for y, words in up:
            axes += [line(-TICK, y, 0, y, GREY), text(-TICK - 2, y + 0.35 * SIZE, words, "end")]
        if self.x.title:
            axes.append(text(self.width / 2, foot + self.below - 0.2 * SIZE, self.x.title, "middle"))
        if self.y.title:
            axes.append(text(0.8 * SIZE - left, foot / 2, self.y.title, "middle", turn=-90))
        return f'<g class="grid">{"".join(grid)}</g><g class="axes">{"".join(axes)}</g>{"".join(self.marks)}'


def stacked(
    plots: Sequence[Plot], label: str, legend: Mapping[str, str] | None = None, apart: float = 14,
    data: pl.DataFrame | None = None,
) -> Svg:  # fmt: skip
    """Plots under each other, their upright axes in line."""
    left, wide = max(plot.left for plot in plots), max(plot.width for plot in plots)
    keys, top = legend_of(legend or {}, wide)
    parts, at = [keys], top
    for plot in plots:
        parts.append(f'<g transform="translate(0,{at:g})">{plot.framed(left)}</g>')
        at += plot.height + plot.below + apart
    right = max(EDGE, *(text_width(list(plot.x.ticks.values())[-1]) / 2 for plot in plots if plot.x.ticks), 0)
    body = f'<g transform="translate({EDGE + left:.2f},{EDGE + SIZE / 2:g})">{"".join(parts)}</g>'
    if data is None:
        data = tidy([replace(series, panel=plot.panel) for plot in plots for series in plot.series], legend or {})
    return Svg(EDGE + left + wide + right, at - apart + 2 * EDGE + SIZE / 2, body, label, data)


def legend_of(names: Mapping[str, str], width: float, square: bool = False) -> tuple[str, float]:
    """A dot (or square) and a name after another, in as many lines as they need, and how high these are."""
    parts, x, y = [], 0.0, 0.0
    for name, colour in names.items():
        words = shortened(name, 160)
        if x and x + 16 + text_width(words) > width:
            x, y = 0.0, y + ROW
        parts.append(
            rect(x, y - 5, 10, 10, colour, f'rx="{2 if square else 5}"') + text(x + 15, y + 4.2, words, "start", INK)
        )
        x += 15 + text_width(words) + 16
    return f'<g class="keys">{"".join(parts)}</g>' if parts else "", y + ROW if parts else 0.0


def layer(kind: str, body: str, name: str = "") -> str:
    """A layer of marks; what has a data-tip in it is told where the pointer rests."""
    return f'<g class="mark {kind}{" " if name else ""}{name}">{body}</g>'


def _stroke(colour: str, width: float = 1, opacity: float = 1, dash: str = "") -> str:
    more = (f' stroke-opacity="{opacity:g}"' if opacity < 1 else "") + (f' stroke-dasharray="{dash}"' if dash else "")
    return f' stroke="{colour}" stroke-width="{width:g}"{more}'


def _said(words: str) -> str:
    return f' data-tip="{escape(words)}"'
