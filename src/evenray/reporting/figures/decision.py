"""The decision curve: whether acting on the forecast does more good than acting on everybody, or on nobody."""

from __future__ import annotations

from typing import Any

import polars as pl

from evenray.reporting.drawing import Axis, Plot, Scale, axis, percent
from evenray.reporting.language import Language
from evenray.reporting.style import ACCENT, GREY, INK, WIDTH, Figure, figure

__all__ = ["decision"]


def decision(curve: dict[str, list[Any]], say: Language, of: str | None = None) -> Figure:
    """Net benefit of the model with its band, beside treating all and treating none; as evenray.metrics.decision_curve.

    `of` is the class that it is about, where there are several.
    """
    table = pl.DataFrame(curve)
    names = {"net_benefit": say("decision.model"), "treat_all": say("decision.all"), "treat_none": say("decision.none")}
    colours = dict(zip(names, (ACCENT, GREY, INK), strict=True))
    top = max(0.01, *table["high"].drop_nulls().to_list(), *table["net_benefit"].drop_nulls().to_list())
    bottom = -0.15 * top
    gaining = table.filter(pl.max_horizontal("net_benefit", "high", "treat_all") > 0.01 * top)["at"]
    end = min(1.0, 1.25 * max(gaining.to_list(), default=0.8))  # beyond it nothing does good
    table = table.filter(pl.col("at") <= end)
    x = axis([0, end], say("axis.risk"), words=percent, count=6, nice=False)
    ticks = axis([bottom, top], nice=False).ticks
    plot = Plot(WIDTH, 250, x, Axis(Scale(bottom, top), ticks, say("axis.net_benefit")))
    band = table.select("at", "low", "high").drop_nulls()
    plot.area(band["at"].to_numpy(), band["high"].to_numpy(), ACCENT, 0.15, band["low"].clip(bottom, top).to_numpy())
    for name in ("treat_none", "treat_all", "net_benefit"):
        line = table.select("at", y=pl.col(name)).drop_nulls().filter(pl.col("y") >= bottom)
        plot.line(line["at"].to_numpy(), line["y"].to_numpy(), colours[name], 1.8)
    drawn = plot.drawn({word: colours[name] for name, word in names.items()})
    caption = (
        say("decision.caption") if of is None else f"{say('decision.caption_many', name=of)} {say('decision.caption')}"
    )
    return figure(drawn, "decision", say("decision.title"), caption, say("alt.decision"))
