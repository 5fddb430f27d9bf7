"""Small drawings as SVG text: histograms (bars that touch), bar charts (with gaps), transfer curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.images.histogram import Histogram

__all__ = ["bar_chart", "histogram_chart", "levels", "mapping", "pixels"]

INK, MUTED, LINE, ACCENT, GREY = "#1b2430", "#5b6673", "#dde3e8", "#0f64ad", "#98a4b0"


def levels(before: NDArray[np.int64], after: NDArray[np.int64], ends: tuple[str, str], label: str) -> str:
    """The histograms before (grey) and after (blue) over black to white; `ends` names the two levels.

    >>> levels(np.ones(256, np.int64), np.ones(256, np.int64), ("0", "255"), "grey levels").startswith("<svg")
    True
    """
    width, height = 320, 120
    top = max(_top(before), _top(after))  # one scale, as both count the same pixels
    shares = [np.minimum(counts / top, 1.0) for counts in (before, after)]
    parts = [_area(shares[0], width, height, GREY, 0.45), _area(shares[1], width, height, ACCENT, 0.45)]
    parts.append(_line(0, height, width, height, GREY))
    parts.append(_text(0, height + 14, ends[0], "start") + _text(width, height + 14, ends[1], "end"))
    return _svg(width, height + 18, parts, label)


def mapping(curve: NDArray[np.float64] | None, band: NDArray[np.float64] | None, axis: str, label: str) -> str:
    """Level in against level out: the curve, or for a method without one the middle 90 % of outcomes and their median.

    `curve` is (n,) of unit values; `band` (3, n): 5 %, 50 % and 95 %, NaN where the level does not occur.
    """
    side = 120
    parts = [f'<rect width="{side}" height="{side}" fill="none" stroke="{LINE}"/>']
    parts.append(f'<path d="M0 {side}L{side} 0" stroke="{GREY}" stroke-dasharray="4 4"/>')
    if curve is not None:
        parts.append(_path(np.linspace(0, 1, len(curve)), curve, side, ACCENT))
    elif band is not None:
        x, there = np.linspace(0, 1, band.shape[1]), ~np.isnan(band[1])
        x, band = x[there], band[:, there]
        outline = np.concatenate([band[0], band[2][::-1]])
        points = _points(np.concatenate([x, x[::-1]]), outline, side)
        parts.append(f'<polygon points="{points}" fill="{ACCENT}" opacity=".25"/>')
        parts.append(_path(x, band[1], side, ACCENT))
    parts.append(_text(side / 2, side + 14, axis, "middle"))
    return _svg(side, side + 18, parts, label)


def histogram_chart(histogram: Histogram, title: str) -> str:
    """A histogram with its axis, its bars touching, as an SVG file of its own.

    Bins of different widths show their density, so that areas stay true. A bar that would flatten all others is cut off
    and its count written beside it.
    """
    width, height = 640, 280
    base = height - 40
    edges, spans = histogram.edges, np.maximum(np.diff(histogram.edges), 1e-300)
    even = bool(np.allclose(spans, spans[0]))
    tall = histogram.counts if even else histogram.counts / spans
    top = _cut(tall)
    place = 60 + (edges - edges[0]) / (edges[-1] - edges[0]) * (width - 80)
    rise = np.minimum(tall / top, 1) * (height - 70)
    bars = [
        f'<rect x="{a:.2f}" y="{base - h:.2f}" width="{b - a:.2f}" height="{h:.2f}"/>'
        for a, b, h in zip(place, place[1:], rise, strict=False)
        if h > 0
    ]
    edge = "#fefefe" if histogram.bins <= 64 else "none"
    parts = [f'<g fill="{ACCENT}" stroke="{edge}" stroke-width=".7">{"".join(bars)}</g>']
    for tick in _ticks(float(edges[0]), float(edges[-1])):
        x = 60 + (tick - edges[0]) / (edges[-1] - edges[0]) * (width - 80)
        parts.append(_line(x, base, x, base + 4, GREY) + _text(x, base + 16, f"{tick:.6g}", "middle"))
    for i in np.flatnonzero(tall > top):
        anchor, shift = ("start", 6) if place[i] < width - 160 else ("end", -6)
        parts.append(_text(place[i] + shift, 40, f"{int(histogram.counts[i]):,}, cut off", anchor, INK))
    return _framed(width, height, base, parts, title, _compact(top) + ("" if even else " a unit"))


def bar_chart(counts: Sequence[tuple[str, int]], title: str) -> str:
    """A bar chart of categories, with gaps between the bars, as an SVG file of its own.

    >>> "<rect" in bar_chart([("PA", 2), ("AP", 1)], "view")
    True
    """
    width, height = max(320, 80 + 70 * len(counts)), 280
    base, step = height - 40, (width - 80) / max(len(counts), 1)
    most = max((count for _, count in counts), default=0) or 1
    parts = []
    for place, (name, count) in enumerate(counts):
        tall, left = count / most * (height - 70), 60 + step * place + step * 0.2
        bar = f'x="{left:.1f}" y="{base - tall:.1f}" width="{step * 0.6:.1f}" height="{tall:.1f}"'
        parts.append(f'<rect {bar} fill="{ACCENT}"/>')
        parts.append(_text(left + step * 0.3, base + 16, name if len(name) < 14 else name[:12] + "…", "middle"))
    return _framed(width, height, base, parts, title, _compact(most))


def pixels(chart: str, scale: int = 2) -> NDArray[np.uint8]:
    """A bar chart or a histogram as an image in OpenCV's order of colours, (rows, columns, 3): its bars, lines and words.

    Bars end at whole pixels, so those that touch touch. The letters are OpenCV's own, Hangul among them.

    >>> pixels(bar_chart([("PA", 2), ("AP", 1)], "view")).shape
    (560, 640, 3)
    """
    root = ElementTree.fromstring(chart)
    drawn = np.full((scale * int(root.attrib["height"]), scale * int(root.attrib["width"]), 3), 255, np.uint8)
    for group in [root, *(child for child in root if child.tag.endswith("}g"))]:
        for element in group:
            _paint(drawn, element.tag.rpartition("}")[2], group.attrib | element.attrib, element.text or "", scale)
    return drawn


def _paint(drawn: NDArray[np.uint8], kind: str, look: dict[str, str], text: str, scale: int) -> None:
    def at(*names: str) -> list[int]:
        return [round(scale * sum(float(look.get(part, 0)) for part in name.split("+"))) for name in names]

    if kind == "rect":
        left, top, right, bottom = at("x", "y", "x+width", "y+height")
        gap = look.get("stroke", "none") != "none"
        drawn[top:bottom, left : max(right - gap, left + 1)] = _bgr(look["fill"])
    elif kind == "line":
        x1, y1, x2, y2 = at("x1", "y1", "x2", "y2")
        cv2.line(drawn, (x1, y1), (x2, y2), _bgr(look["stroke"]), scale)
    elif kind == "text":
        x, y, size = at("x", "y", "font-size")
        font = cv2.FontFace("sans")
        wide = cv2.getTextSize((0, 0), text, (0, 0), font, size)[2]
        x -= round(wide * {"start": 0, "middle": 0.5, "end": 1}[look["text-anchor"]])
        cv2.putText(drawn, text, (x, y), _bgr(look["fill"]), font, size)


def _bgr(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))[::-1]


def _framed(width: int, height: int, base: int, parts: list[str], title: str, top: str) -> str:
    frame = [f'<rect width="{width}" height="{height}" fill="#fefefe"/>', _line(60, base, width - 20, base, GREY)]
    words = [_text(54, base, "0", "end"), _text(54, 38, top, "end"), _text(60, 18, title, "start", INK)]
    return _svg(width, height, [*frame, *parts, *words], title)


def _top(counts: NDArray[np.int64]) -> float:
    """The count that the full height stands for; single bins that tower over the rest are cut off there."""
    inner = counts[counts > 0]
    return min(float(inner.max()), 2 * float(np.percentile(inner, 95))) if len(inner) else 1.0


def _cut(tall: NDArray[Any]) -> float:
    """The height of the axis: the tallest bar, but for at most two that are four times as tall as all others."""
    order = np.sort(tall)[::-1]
    for skipped in (2, 1):
        if len(order) > 8 and order[skipped - 1] > 4 * order[skipped] > 0:
            return float(order[skipped]) * 1.1
    return max(float(order[0]), 1e-300)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, about seven.

    >>> _ticks(-0.5, 255.5)
    [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]
    """
    rough = (high - low) / 7
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((power * f for f in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _compact(count: float) -> str:
    """A count in few characters.

    >>> _compact(10_303_118), _compact(940)
    ('10.3 M', '940')
    """
    for size, name in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if count >= size:
            return f"{count / (1e3 if name == ' k' else size):.3g}{name}"
    return f"{count:.4g}"


def _area(shares: NDArray[np.float64], width: int, height: int, colour: str, opacity: float) -> str:
    x = np.repeat(np.linspace(0, width, len(shares) + 1), 2)[1:-1]
    y = np.repeat(height * (1 - shares), 2)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<polygon points="0,{height} {points} {width},{height}" fill="{colour}" opacity="{opacity}"/>'


def _path(x: NDArray[np.float64], y: NDArray[np.float64], side: int, colour: str) -> str:
    return f'<polyline points="{_points(x, y, side)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _points(x: NDArray[np.float64], y: NDArray[np.float64], side: int) -> str:
    return " ".join(f"{a * side:.1f},{(1 - b) * side:.1f}" for a, b in zip(x, y, strict=True))


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = MUTED) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _svg(width: int, height: int, parts: list[str], label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{escape(label)}" font-family="sans-serif" font-size="11">{"".join(parts)}</svg>'
    )
