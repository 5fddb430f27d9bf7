"""ROC and precision-recall curves, with the operating point, its intervals and what guessing would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..language import Language
from ..style import ACCENT, GREY, INK, PAPER, WIDTH, Figure, colour_scale, figure

__all__ = ["HEIGHT", "Line", "Point", "precision_recall", "roc"]

HEIGHT = 270
Line = tuple[NDArray[np.float64], NDArray[np.float64]]
Point = tuple[float, float, tuple[float, float] | None, tuple[float, float] | None]  # x, y and their intervals


def roc(lines: Mapping[str, Line], colours: dict[str, str], point: Point | None, say: Language) -> Figure:
    """Sensitivity against the false positive rate; the diagonal is guessing."""
    ends = pl.DataFrame({"x": [0, 1], "y": [0, 1]})
    diagonal = alt.Chart(ends).mark_line(color=GREY, strokeDash=[4, 4], strokeWidth=1)
    x, y = _axis(alt.X, say("axis.false_positive_rate")), _axis(alt.Y, say("axis.sensitivity"))
    chart = alt.layer(diagonal.encode(x=x, y=y), *_curves(lines, colours, x, y, "linear"), *_point(point, x, y, "roc"))
    caption = say("ranking.roc.caption")
    return figure(chart, "roc", say("ranking.roc.title"), caption, say("alt.roc"))


def precision_recall(
    lines: Mapping[str, Line], colours: dict[str, str], base: Mapping[str, float], point: Point | None, say: Language
) -> Figure:
    """Precision against recall, stepped as average precision counts it; dashed is guessing, the prevalence."""
    x, y = _axis(alt.X, say("axis.recall")), _axis(alt.Y, say("axis.precision"))
    table = pl.DataFrame({"line": list(base), "y": list(base.values())})
    rule = alt.Chart(table).mark_rule(strokeDash=[4, 4], strokeWidth=1)
    rules = (
        rule.encode(y=y, color=alt.Color("line:N", scale=colour_scale(colours), legend=None))
        if len(base) > 1
        else rule.encode(y=y, color=alt.value(GREY))
    )
    chart = alt.layer(rules, *_curves(lines, colours, x, y, "step-before"), *_point(point, x, y, "pr"))
    caption = say("ranking.pr.caption")
    return figure(chart, "pr", say("ranking.pr.title"), caption, say("alt.pr"))


def _axis(channel: Any, title: str) -> Any:
    field = "x:Q" if channel is alt.X else "y:Q"
    return channel(field, title=title, axis=alt.Axis(format="~g", tickCount=6), scale=alt.Scale(domain=[0, 1]))


def _curves(lines: Mapping[str, Line], colours: dict[str, str], x: Any, y: Any, interpolate: Any) -> list[Any]:
    """Later lines lie on top; every vertex keeps its order, because x repeats on vertical runs."""
    scale, drawn = colour_scale({name: colour for name, colour in colours.items() if name in lines}), []
    for name, (xs, ys) in lines.items():
        table = pl.DataFrame({"x": xs, "y": ys, "line": [name] * len(xs), "i": range(len(xs))})
        mark = alt.Chart(table, width=WIDTH, height=HEIGHT).mark_line(interpolate=interpolate, strokeWidth=2)
        drawn.append(mark.encode(x=x, y=y, order="i:Q", color=alt.Color("line:N", scale=scale, title=None)))
    return drawn


def _point(point: Point | None, x: Any, y: Any, name: str) -> list[Any]:
    """The chosen operating point as a ring with its two intervals, and the dot that the slider moves."""
    if point is None:
        return []
    at = alt.Chart(pl.DataFrame({"x": [point[0]], "y": [point[1]]}))
    marks: list[Any] = []
    if point[2]:
        table = pl.DataFrame({"x": [point[2][0]], "x2": [point[2][1]], "y": [point[1]]})
        marks.append(alt.Chart(table).mark_rule(color=INK, strokeWidth=1).encode(x=x, x2="x2:Q", y=y))
    if point[3]:
        table = pl.DataFrame({"y": [point[3][0]], "y2": [point[3][1]], "x": [point[0]]})
        marks.append(alt.Chart(table).mark_rule(color=INK, strokeWidth=1).encode(x=x, y=y, y2="y2:Q"))
    marks.append(at.mark_point(size=110, color=INK, fill=PAPER, strokeWidth=1.5, opacity=1).encode(x=x, y=y))
    dot = at.mark_point(size=40, fill=ACCENT, color=ACCENT, opacity=1).encode(x=x, y=y)
    return [*marks, dot.properties(name=f"moving{name}")]
