"""Histograms: for quantities, bars that touch, drawn as one stepped area; never for categories."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.images.histogram import Histogram
from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale, axis
from .svg import ACCENT, GREY, PAPER, WIDTH, Svg, number, percent

__all__ = ["before_and_after", "frequency", "pixels", "quantity", "touching"]

HIGH = 130
FEW = 64  # bins up to which a hairline parts the bars of a chart that stands alone
Counts = NDArray[np.int64] | NDArray[np.float64]


def touching(
    counts: Counts, edges: NDArray[np.float64], x: Axis, y: Axis, colour: str, height: int, width: int
) -> Plot:
    """Bars without gaps, as an area with a firm upper line."""
    plot = Plot(width, height, x, y)
    heights = _steps(counts)
    plot.area(edges, heights, colour, 0.35, step="after")
    plot.line(edges, heights, colour, 1.2, step="after")
    return plot


def pixels(counts: NDArray[np.int64], title: str, say: Language, colour: str, width: int = WIDTH) -> Svg:
    """The share of pixels at each grey level, black to white, in at most 128 bins that touch."""
    while len(counts) > 128 and len(counts) % 2 == 0:
        counts = counts.reshape(-1, 2).sum(1)
    share = counts / max(counts.sum(), 1)
    x = axis([0, 1], say("axis.grey"), words=number, grid=False)
    y = axis(share, say("axis.pixel_share"), words=percent, count=4, zero=True)
    plot = touching(share, np.linspace(0, 1, len(share) + 1), x, y, colour, HIGH, width)
    return plot.drawn(say("alt.histogram", title=title))


def quantity(values: pl.Series, title: str, words: str, say: Language) -> Svg:
    """How often a measured quantity takes each value, in up to 30 intervals."""
    found = values.drop_nulls().to_numpy()
    edges = np.histogram_bin_edges(found, "auto")
    counts, edges = np.histogram(found, edges if len(edges) <= 31 else 30)
    x = axis(edges, words, count=7, nice=False, grid=False)
    y = axis(counts, say("axis.images"), zero=True)
    return touching(counts, edges, x, y, ACCENT, HIGH, WIDTH).drawn(say("alt.histogram", title=title))


def frequency(histogram: Histogram, label: str) -> Svg:
    """A histogram with its axes, for a file of its own.

    Bins of different widths show their density, so that areas stay true. A bar that would flatten all others is cut off
    and its count written beside it.
    """
    shown = histogram if histogram.bins <= 1024 else histogram.grouped(256)
    edges, spans = shown.edges, np.maximum(np.diff(shown.edges), 1e-300)
    even = bool(np.allclose(spans, spans[0]))
    tall = shown.counts if even else shown.counts / spans
    top = _cut(tall)
    x = axis(edges, words=number, count=7, nice=False, grid=False)
    y = Axis(Scale(0, top), {0: "0", top: _compact(top) + ("" if even else " a unit")}, grid=False)
    plot = Plot(560, 210, x, y)
    heights = _steps(np.minimum(tall, top))
    plot.area(edges, heights, ACCENT, 1, step="after")
    for edge, height in zip(edges, np.maximum(heights, np.roll(heights, 1)), strict=True):
        if shown.bins <= FEW:
            plot.line([edge, edge], [0, height], PAPER, 0.7)
    for i in np.flatnonzero(tall > top):
        place = float(plot.width * x.scale.share(edges[i]))
        side, anchor = (6, "start") if place < plot.width - 140 else (-6, "end")
        plot.words(place + side, 12, f"{int(shown.counts[i]):,}, cut off", anchor)
    return plot.drawn(label)


def before_and_after(
    before: NDArray[np.int64], after: NDArray[np.int64], value_range: tuple[float, float], label: str
) -> Svg:
    """The grey levels of an image before (grey) and after (blue), from black to white."""
    top = max(_top(before), _top(after))  # one scale, as both count the same pixels
    x = Axis(Scale(0, 1), {0.0: number(value_range[0]), 1.0: number(value_range[1])}, grid=False)
    plot = Plot(300, 120, x, Axis(Scale(0, top), {}))
    for counts, colour in ((before, GREY), (after, ACCENT)):
        edges = np.linspace(0, 1, len(counts) + 1)
        plot.area(edges, _steps(np.minimum(counts, top)), colour, 0.45, step="after")
    return plot.drawn(label)


def _steps(counts: Counts) -> NDArray[np.float64]:
    """A height for every edge: the last one repeats the last bar."""
    return np.append(counts, counts[-1:]).astype(np.float64)


def _top(counts: NDArray[np.int64]) -> float:
    """The count that the full height stands for; single bins that tower over the rest are cut off there."""
    inner = counts[counts > 0]
    return min(float(inner.max()), 2 * float(np.percentile(inner, 95))) if len(inner) else 1.0


def _cut(tall: Counts) -> float:
    """The height of the axis: the tallest bar, but for at most two that are four times as tall as all others."""
    order = np.sort(tall)[::-1]
    for skipped in (2, 1):
        if len(order) > 8 and order[skipped - 1] > 4 * order[skipped] > 0:
            return float(order[skipped]) * 1.1
    return max(float(order[0]), 1e-300)


def _compact(count: float) -> str:
    """A count in few characters.

    >>> _compact(10_303_118), _compact(940)
    ('10.3 M', '940')
    """
    for size, unit, name in ((1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if count >= size:
            return f"{count / unit:.3g}{name}"
    return f"{count:.4g}"
