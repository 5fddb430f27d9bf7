"""Histograms: for quantities, bars that touch, drawn as one stepped area; never for categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.reporting.drawing import Axis, Plot, axis, number, percent
from evenray.reporting.language import Language
from evenray.reporting.style import ACCENT, GREY, WIDTH, Figure, figure

__all__ = ["pixels", "quantity", "touching", "transfer"]

HIGH = 130


def touching(counts: NDArray[Any], edges: NDArray[Any], x: Axis, y: Axis, colour: str, height: int, width: int) -> Plot:
    """Bars without gaps, as an area with a firm upper line."""
    plot = Plot(width, height, x, y)
    heights = np.append(counts, counts[-1:]).astype(np.float64)  # the last edge repeats the last bar
    plot.area(edges, heights, colour, 0.35, step="after")
    plot.line(edges, heights, colour, 1.2, step="after")
    return plot


def pixels(counts: NDArray[np.int64], name: str, title: str, say: Language, colour: str, width: int = WIDTH) -> Figure:
    """The share of pixels at each grey level, black to white, in at most 128 bins that touch."""
    while len(counts) > 128 and len(counts) % 2 == 0:
        counts = counts.reshape(-1, 2).sum(1)
    share = counts / max(counts.sum(), 1)
    x = axis([0, 1], say("axis.grey"), words=number, grid=False)
    y = axis(share, say("axis.pixel_share"), words=percent, count=4, zero=True)
    drawn = touching(share, np.linspace(0, 1, len(share) + 1), x, y, colour, HIGH, width).drawn()
    return figure(drawn, name, title, alt_text=say("alt.histogram", title=title))


def quantity(values: pl.Series, name: str, title: str, words: str, say: Language) -> Figure:
    """How often a measured quantity takes each value, in up to 30 intervals."""
    found = values.drop_nulls().to_numpy()
    edges = np.histogram_bin_edges(found, "auto")
    if len(edges) > 31:
        edges = np.histogram_bin_edges(found, 30)
    counts, edges = np.histogram(found, edges)
    x = axis(edges, words, count=7, nice=False, grid=False)
    y = axis(counts, say("axis.images"), zero=True)
    drawn = touching(counts, edges, x, y, ACCENT, HIGH, WIDTH).drawn()
    return figure(drawn, name, title, alt_text=say("alt.histogram", title=title))


def transfer(curve: NDArray[np.float64], name: str, title: str, say: Language, width: int = WIDTH) -> Figure:
    """A contrast method's transfer curve: grey level in, grey level out, and the straight line that changes nothing."""
    x = axis([0, 1], say("axis.grey_in"), words=number, grid=False)
    plot = Plot(width, HIGH, x, axis([0, 1], say("axis.grey_out"), words=number, count=4))
    plot.line([0, 1], [0, 1], GREY, 1, "4 4")
    plot.line(np.linspace(0, 1, len(curve)), curve, ACCENT)
    return figure(plot.drawn(), name, title, alt_text=say("alt.curve", title=title))
