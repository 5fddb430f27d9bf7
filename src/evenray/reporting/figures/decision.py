"""The decision curve: whether acting on the forecast does more good than acting on everybody, or on nobody."""

from __future__ import annotations

import polars as pl

from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale, axis
from .svg import ACCENT, GREY, INK, WIDTH, Svg, percent

__all__ = ["decision"]


def decision(curve: pl.DataFrame, say: Language) -> Svg:
    """Net benefit of the model with its band, beside treating all and treating none; as evenray.metrics.decision_curve."""
    names = {"net_benefit": say("decision.model"), "treat_all": say("decision.all"), "treat_none": say("decision.none")}
    colours = dict(zip(names, (ACCENT, GREY, INK), strict=True))
    top = max(0.01, *curve["high"].drop_nulls().to_list(), *curve["net_benefit"].drop_nulls().to_list())
    bottom = -0.15 * top
    gaining = curve.filter(pl.max_horizontal("net_benefit", "high", "treat_all") > 0.01 * top)["at"]
    end = min(1.0, 1.25 * max(gaining.to_list(), default=0.8))  # beyond it nothing does good
    curve = curve.filter(pl.col("at") <= end)
    x = axis([0, end], say("axis.risk"), words=percent, count=6, nice=False)
    ticks = axis([bottom, top], nice=False).ticks
    plot = Plot(WIDTH, 250, x, Axis(Scale(bottom, top), ticks, say("axis.net_benefit")))
    band = curve.select("at", "low", "high").drop_nulls()
    plot.area(band["at"].to_numpy(), band["high"].to_numpy(), ACCENT, 0.15, band["low"].clip(bottom, top).to_numpy())
    for name in ("treat_none", "treat_all", "net_benefit"):
        line = curve.select("at", y=pl.col(name)).drop_nulls().filter(pl.col("y") >= bottom)
        plot.line(line["at"].to_numpy(), line["y"].to_numpy(), colours[name], 1.8)
    return plot.drawn(say("alt.decision"), {word: colours[name] for name, word in names.items()})
