"""Histograms: for quantities, bars that touch, drawn as one stepped area; never for categories."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..language import Language
from ..style import ACCENT, GREY, WIDTH, Figure, figure

__all__ = ["pixels", "quantity", "steps", "touching", "transfer"]


def steps(counts: NDArray[Any], edges: NDArray[Any]) -> pl.DataFrame:
    """The corners of the bars: x at every edge, y of the bar that begins there; the last edge repeats the last bar."""
    heights = np.append(counts, counts[-1:]).astype(np.float64)
    return pl.DataFrame({"x": np.asarray(edges, np.float64), "y": heights})


def touching(table: pl.DataFrame, x: alt.X, y: alt.Y, colour: str, height: int, width: int = WIDTH) -> Any:
    """Bars without gaps, as an area with a firm upper line."""
    base = alt.Chart(table, width=width, height=height).encode(x=x, y=y)
    area = base.mark_area(interpolate="step-after", color=colour, opacity=0.35)
    return area + base.mark_line(interpolate="step-after", color=colour, strokeWidth=1.2, strokeJoin="miter")


def pixels(counts: NDArray[np.int64], name: str, title: str, say: Language, colour: str, width: int = WIDTH) -> Figure:
    """The share of pixels at each grey level, black to white, in at most 128 bins that touch."""
    while len(counts) > 128 and len(counts) % 2 == 0:
        counts = counts.reshape(-1, 2).sum(1)
    share = counts / max(counts.sum(), 1)
    x = alt.X(
        "x:Q",
        title=say("axis.grey"),
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(grid=False, format="~g", tickCount=5),
    )
    y = alt.Y("y:Q", title=say("axis.pixel_share"), axis=alt.Axis(format="~%", tickCount=4))
    chart = touching(steps(share, np.linspace(0, 1, len(share) + 1)), x, y, colour, 130, width)
    return figure(chart, name, title, alt_text=say("alt.histogram", title=title))


def quantity(values: pl.Series, name: str, title: str, axis: str, say: Language) -> Figure:
    """How often a measured quantity takes each value, in up to 30 intervals."""
    found = values.drop_nulls().to_numpy()
    edges = np.histogram_bin_edges(found, "auto")
    if len(edges) > 31:
        edges = np.histogram_bin_edges(found, 30)
    counts, edges = np.histogram(found, edges)
    x = alt.X("x:Q", title=axis, scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(grid=False))
    chart = touching(steps(counts, edges), x, alt.Y("y:Q", title=say("axis.images")), ACCENT, 130)
    return figure(chart, name, title, alt_text=say("alt.histogram", title=title))


def transfer(curve: NDArray[np.float64], name: str, title: str, say: Language, width: int = WIDTH) -> Figure:
    """A contrast method's transfer curve: grey level in, grey level out, and the straight line that changes nothing."""
    table = pl.DataFrame({"x": np.linspace(0, 1, len(curve)), "y": curve})
    x = alt.X(
        "x:Q",
        title=say("axis.grey_in"),
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(grid=False, format="~g", tickCount=5),
    )
    y = alt.Y(
        "y:Q", title=say("axis.grey_out"), scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="~g", tickCount=4)
    )
    straight = alt.Chart(pl.DataFrame({"x": [0, 1], "y": [0, 1]})).mark_line(
        color=GREY, strokeDash=[4, 4], strokeWidth=1
    )
    line = alt.Chart(table, width=width, height=130).mark_line(color=ACCENT, strokeWidth=2)
    chart = alt.layer(straight.encode(x=x, y=y), line.encode(x=x, y=y))
    return figure(chart, name, title, alt_text=say("alt.curve", title=title))
