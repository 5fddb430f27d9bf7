"""The decision curve: whether acting on the forecast does more good than acting on everybody, or on nobody."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from ..language import Language
from ..style import ACCENT, GREY, INK, WIDTH, Figure, colour_scale, figure

__all__ = ["decision"]


def decision(curve: dict[str, list[Any]], say: Language) -> Figure:
    """Net benefit of the model with its band, beside treating all and treating none; as evenray.metrics.decision_curve."""
    table = pl.DataFrame(curve)
    names = {"net_benefit": say("decision.model"), "treat_all": say("decision.all"), "treat_none": say("decision.none")}
    top = max(0.01, *table["high"].drop_nulls().to_list(), *table["net_benefit"].drop_nulls().to_list())
    bottom = -0.15 * top
    gaining = table.filter(pl.max_horizontal("net_benefit", "high", "treat_all") > 0.01 * top)["at"]
    end = min(1.0, 1.25 * max(gaining.to_list(), default=0.8))  # beyond it nothing does good
    table = table.filter(pl.col("at") <= end)
    lines = table.select("at", *names).unpivot(index="at", variable_name="line", value_name="y").drop_nulls()
    lines = lines.filter(pl.col("y") >= bottom).with_columns(pl.col("line").replace_strict(names))
    scale = colour_scale(dict(zip(names.values(), (ACCENT, GREY, INK), strict=True)))
    x = alt.X(
        "at:Q",
        title=say("axis.risk"),
        axis=alt.Axis(format="~%", tickCount=6),
        scale=alt.Scale(domain=[0, end], nice=False),
    )
    domain = alt.Scale(domain=[bottom, top], clamp=True)
    y = alt.Y("y:Q", title=say("axis.net_benefit"), axis=alt.Axis(tickCount=5), scale=domain)
    band = alt.Chart(table.drop_nulls(), width=WIDTH, height=250).mark_area(color=ACCENT, opacity=0.15)
    shaded = band.encode(x=x, y=alt.Y("low:Q", title=say("axis.net_benefit"), scale=domain), y2="high:Q")
    colour = alt.Color("line:N", scale=scale, title=None, sort=list(names.values()))
    drawn = alt.Chart(lines, width=WIDTH, height=250).mark_line(strokeWidth=1.8).encode(x=x, y=y, color=colour)
    title = say("decision.title")
    return figure(alt.layer(shaded, drawn), "decision", title, say("decision.caption"), say("alt.decision"))
