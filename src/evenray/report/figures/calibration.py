"""The reliability diagram: of the cases given 20 %, do 20 % have it?"""

from __future__ import annotations

import altair as alt
import polars as pl

from ..language import Language
from ..style import ACCENT, GREY, PAPER, WIDTH, Figure, figure

__all__ = ["calibration"]


def calibration(curve: pl.DataFrame, name: str, of: str, say: Language) -> Figure:
    """Observed share against mean predicted probability of class `of`, with 95 % intervals; `name` names the drawing.

    `curve` has the columns of evenray.metrics.calibration_curve: forecast, observed, low, high and cases.
    """
    rare = curve["forecast"].median() < 0.1  # type: ignore[operator]
    axis = alt.Axis(
        format="~%", values=[0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1] if rare else alt.Undefined, tickCount=6
    )
    scale = alt.Scale(domain=[0, 1], type="sqrt" if rare else "linear")
    x = alt.X("forecast:Q", title=say("axis.probability"), axis=axis, scale=scale)
    y = alt.Y("observed:Q", title=say("axis.observed"), axis=axis, scale=scale)
    words = pl.format(
        "{} % → {} %, {}", (100 * pl.col("forecast")).round(1), (100 * pl.col("observed")).round(1), "cases"
    )
    curve = curve.with_columns(words=words)
    ends = pl.DataFrame({"forecast": [0, 1], "observed": [0, 1]})
    diagonal = alt.Chart(ends).mark_line(color=GREY, strokeDash=[4, 4], strokeWidth=1)
    base = alt.Chart(curve, width=WIDTH, height=270).encode(x=x)
    bars = base.mark_rule(color=ACCENT, strokeWidth=1.5).encode(
        y=alt.Y("low:Q", title=say("axis.observed"), axis=axis, scale=scale), y2="high:Q"
    )
    line = base.mark_line(color=ACCENT, strokeWidth=1, opacity=0.5).encode(y=y)
    dots = base.mark_point(filled=True, color=ACCENT, size=60, opacity=1, stroke=PAPER, strokeWidth=1).encode(
        y=y, description="words:N"
    )
    chart = alt.layer(diagonal.encode(x=x, y=y), bars, line, dots)
    caption = say("calibration.caption_rare" if rare else "calibration.caption", groups=curve.height)
    return figure(chart, name, say("calibration.figure", name=of), caption, say("alt.calibration"))
