"""Charts as SVG: scales, axes, marks and a legend, no more than the page's figures need (docs/decisions/0008).

What a `Plot` is asked for is drawn in that order, later marks over earlier ones; `drawn` puts the axes under them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .style import GREY, INK, LINE, MUTED, Drawing

__all__ = [
    "Axis", "Plot", "Scale", "axis", "legend_of", "letters", "mark", "number", "percent", "shortened", "stacked",
    "word",
]  # fmt: skip

SIZE = 12  # pixels of letters
TICK, GAP, EDGE, ROW = 4, 8, 4, 18  # a tick, from an axis to its title, around the drawing, a line of the legend
NARROW_AND_WIDE = dict.fromkeys(" .,:;!|'ijl", 0.28) | dict.fromkeys("()-frt", 0.36) | dict.fromkeys("%@MWmw", 0.87)
Values = Sequence[float] | NDArray[Any]


@dataclass(frozen=True)
class Scale:
    """Where values lie between two ends; `root` spreads what is near zero by the square root.

    >>> Scale(0, 4).share([1, 4]), Scale(0, 4, root=True).share(1)
    (array([0.25, 1.  ]), array(0.5))
    """

    low: float
    high: float
    root: bool = False

    def share(self, values: Any) -> NDArray[np.float64]:
        """0 at the low end, 1 at the high one."""
        found, ends = np.asarray(values, np.float64), np.array([self.low, self.high], np.float64)
        if self.root:
            found, ends = np.sqrt(np.maximum(found, 0)), np.sqrt(ends)
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


def number(value: float) -> str:
    """
    >>> number(0.5), number(250.0)
    ('0.5', '250')
    """
    return f"{value:.6g}"


def percent(value: float) -> str:
    """
    >>> percent(0.125), percent(1)
    ('12.5%', '100%')
    """
    return f"{100 * value:.6g}%"


class Plot:
    """Marks over a pair of axes; `width` and `height` are the pixels inside them, all places are in the axes' values."""

    def __init__(self, width: float, height: float, x: Axis, y: Axis) -> None:
        self.width, self.height, self.x, self.y = width, height, x, y
        self.marks: list[str] = []

    def line(
        self, x: Values, y: Values, colour: str, width: float = 2, dash: str = "", opacity: float = 1, step: str = ""
    ) -> None:
        """Points joined in their order, straight or in steps "after" or "before" the change of x; NaN is left out."""
        points = self._places(x, y)
        if len(points) > 1:
            look = _stroke(colour, width, opacity, dash)
            self._mark("line", f'<path d="M{_path(points, step)}" fill="none"{look}/>')

    def area(
        self, x: Values, y: Values, colour: str, opacity: float, low: Values | None = None, step: str = ""
    ) -> None:
        """From the points down to those of `low`, or to the bottom."""
        upper = self._places(x, y)
        if len(upper):
            bottom = [[upper[-1, 0], self.height], [upper[0, 0], self.height]]
            lower = np.array(bottom) if low is None else self._places(x, low)[::-1]
            outline = f"M{_path(upper, step)}L{_path(lower)}Z"
            self._mark("area", f'<path d="{outline}" fill="{colour}" opacity="{opacity:g}"/>')

    def dots(
        self, x: Values, y: Values, colour: str, radius: float, words: Sequence[str] = (), edge: tuple[str, float] = ("", 1),
        name: str = "",
    ) -> None:  # fmt: skip
        """A circle at each point, with what it stands for; by the layer's `name` a script finds and moves it."""
        look = f' r="{radius:g}" fill="{colour}"{_stroke(*edge) if edge[0] else ""}'
        drawn = [
            f'<circle transform="translate({_n(a)},{_n(b)})"{look}{_said(words[i]) if words else ""}/>'
            for i, (a, b) in enumerate(zip(*self._pixels(x, y), strict=True))
            if math.isfinite(a) and math.isfinite(b)
        ]
        self._mark("dots", "".join(drawn), name)

    def upright(self, x: float, colour: str, width: float, name: str = "") -> None:
        """A line over the whole height, which a script finds by the layer's `name`."""
        place = _n(float(self._pixels([x], [0])[0][0]))
        self._mark(
            "rule", f'<line transform="translate({place},0)" y2="{self.height:g}"{_stroke(colour, width)}/>', name
        )

    def words(self, right: float, down: float, text: str) -> None:
        """A bold word so many pixels from the upper left corner."""
        self._mark("words", word(right, down, text, "start", INK, bold=True))

    def drawn(self, legend: Mapping[str, str] | None = None) -> Drawing:
        """The marks and the axes, under a `legend` of names and colours."""
        return stacked([self], legend)

    def _pixels(self, x: Values, y: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.width * self.x.scale.share(x), self.height * (1 - self.y.scale.share(y))

    def _places(self, x: Values, y: Values) -> NDArray[np.float64]:
        found = np.stack(self._pixels(x, y), axis=1)
        return found[np.isfinite(found).all(axis=1)]

    def _mark(self, kind: str, body: str, name: str = "") -> None:
        self.marks.append(mark(kind, body, name))

    # -- around the marks -------------------------------------------------------------------------------------------
    @property
    def left(self) -> float:
        """Pixels that the upright axis takes."""
        labels = max((letters(words) for words in self.y.ticks.values()), default=0.0)
        return TICK + 2 + labels + ((GAP + SIZE) if self.y.title else 0)

    @property
    def below(self) -> float:
        return TICK + 2 + (SIZE if any(self.x.ticks.values()) else 0) + ((GAP + SIZE) if self.x.title else 0)

    def framed(self, left: float) -> str:
        """Grid, axes and over them the marks; the title of the upright axis stands `left` of it."""
        across = [(float(self._pixels([at], [0])[0][0]), words) for at, words in self.x.ticks.items()]
        up = [(float(self._pixels([0], [at])[1][0]), words) for at, words in self.y.ticks.items()]
        foot, grid, axes = self.height, [], []
        grid += [_straight(x, 0, x, foot, LINE) for x, _ in across if self.x.grid]
        grid += [_straight(0, y, self.width, y, LINE) for y, _ in up if self.y.grid]
        axes += [_straight(0, foot, self.width, foot, GREY), _straight(0, 0, 0, foot, GREY)]
        axes += [_straight(x, foot, x, foot + TICK, GREY) for x, _ in across]
        axes += [_straight(-TICK, y, 0, y, GREY) for y, _ in up]
        axes += [word(x, foot + TICK + 2 + 0.8 * SIZE, words, "middle") for x, words in across]
        axes += [word(-TICK - 2, y + 0.35 * SIZE, words, "end") for y, words in up]
        if self.x.title:
            axes.append(word(self.width / 2, foot + self.below - 0.2 * SIZE, self.x.title, "middle"))
        if self.y.title:
            place = f"translate({_n(0.8 * SIZE - left)},{_n(foot / 2)}) rotate(-90)"
            axes.append(f'<g transform="{place}">{word(0, 0, self.y.title, "middle")}</g>')
        return f'<g class="grid">{"".join(grid)}</g><g class="axes">{"".join(axes)}</g>{"".join(self.marks)}'


def stacked(plots: Sequence[Plot], legend: Mapping[str, str] | None = None, apart: float = 14) -> Drawing:
    """Plots under each other, their upright axes in line."""
    left, wide = max(plot.left for plot in plots), max(plot.width for plot in plots)
    keys, top = legend_of(legend or {}, wide)
    parts, at = [keys], top
    for plot in plots:
        parts.append(f'<g transform="translate(0,{_n(at)})">{plot.framed(left)}</g>')
        at += plot.height + plot.below + apart
    right = max(EDGE, *(letters(list(plot.x.ticks.values())[-1]) / 2 for plot in plots if plot.x.ticks), 0)
    body = f'<g transform="translate({_n(EDGE + left)},{EDGE + SIZE / 2:g})">{"".join(parts)}</g>'
    return Drawing(EDGE + left + wide + right, at - apart + 2 * EDGE + SIZE / 2, body)


def legend_of(names: Mapping[str, str], width: float, square: bool = False) -> tuple[str, float]:
    """A dot (or square) and a name after another, in as many lines as they need, and how high these are."""
    parts, x, y = [], 0.0, 0.0
    for name, colour in names.items():
        text = shortened(name, 160)
        if x and x + 16 + letters(text) > width:
            x, y = 0.0, y + ROW
        key = f'<rect x="{_n(x)}" y="{_n(y - 5)}" width="10" height="10" rx="{2 if square else 5}" fill="{colour}"/>'
        parts.append(key + word(x + 15, y + 4.2, text, "start", INK))
        x += 15 + letters(text) + 16
    return f'<g class="keys">{"".join(parts)}</g>' if parts else "", y + ROW if parts else 0.0


def mark(kind: str, body: str, name: str = "") -> str:
    """A layer of marks; what has an aria-label in it is told where the pointer rests."""
    return f'<g class="mark {kind}{" " if name else ""}{name}">{body}</g>'


def word(
    x: float, y: float, text: str, anchor: str, colour: str = MUTED, size: float = SIZE, bold: bool = False
) -> str:
    """Words at a place; `anchor` is start, middle or end."""
    weight = ' font-weight="bold"' if bold else ""
    text = escape(text.replace("-", "−") if text[:1] == "-" and text[1:2].isdigit() else text)
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" font-size="{size:g}"{weight} fill="{colour}">{text}</text>'


def letters(text: str, size: float = SIZE) -> float:
    """About how many pixels wide a text is, whatever sans-serif it is set in; Hangul and Han are square."""
    return size * sum(
        NARROW_AND_WIDE.get(letter) or (1.0 if ord(letter) > 0x2E7F else 0.68 if letter.isupper() else 0.57)
        for letter in text
    )


def shortened(text: str, pixels: float) -> str:
    """A text cut to fit.

    >>> shortened("manufacturer unknown", 60)
    'manufa…'
    """
    if letters(text) <= pixels:
        return text
    while text and letters(text) > pixels - SIZE:
        text = text[:-1]
    return text.rstrip() + "…"


def _straight(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{_n(x1)},{_n(y1)}L{_n(x2)},{_n(y2)}" stroke="{colour}"/>'


def _path(points: NDArray[np.float64], step: str = "") -> str:
    x, y = ([_n(value) for value in column] for column in points.T)
    if step == "after":
        return f"{x[0]},{y[0]}" + "".join(f"H{a}V{b}" for a, b in zip(x[1:], y[1:], strict=True))
    if step == "before":
        return f"{x[0]},{y[0]}" + "".join(f"V{b}H{a}" for a, b in zip(x[1:], y[1:], strict=True))
    return "L".join(f"{a},{b}" for a, b in zip(x, y, strict=True))


def _stroke(colour: str, width: float = 1, opacity: float = 1, dash: str = "") -> str:
    more = (f' stroke-opacity="{opacity:g}"' if opacity < 1 else "") + (f' stroke-dasharray="{dash}"' if dash else "")
    return f' stroke="{colour}" stroke-width="{width:g}"{more}'


def _said(words: str) -> str:
    return f' aria-label="{escape(words)}"'


def _n(value: float) -> str:
    """Hundredths of a pixel at most.

    >>> _n(3.14159), _n(2.0), _n(-0.001)
    ('3.14', '2', '0')
    """
    return f"{round(value, 2) + 0.0:.6g}"  # + 0.0: no minus zero
