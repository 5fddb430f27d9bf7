"""The decision curve: whether acting on the forecast does more good than acting on everybody, or on nobody."""

from __future__ import annotations

import polars as pl

from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale, axis
from .svg import ACCENT, GREY, INK, WIDTH, Svg, percent

__all__ = ["ahead", "decision", "gain"]


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
    band = curve.select("at", pl.col("low", "high").clip(bottom, top)).drop_nulls()
    plot.area(band["at"].to_numpy(), band["high"].to_numpy(), ACCENT, 0.15, band["low"].to_numpy())
    for name in ("treat_none", "treat_all", "net_benefit"):
        line = curve.select("at", y=pl.col(name)).drop_nulls().filter(pl.col("y") >= bottom)
        plot.line(line["at"].to_numpy(), line["y"].to_numpy(), colours[name], 1.8)
    legend = {word: colours[name] for name, word in names.items()}
    return plot.drawn(say("alt.decision"), legend, curve.select("at", *names, "low", "high"))


def gain(curve: pl.DataFrame, say: Language) -> Svg:
    """What the model gains over treating all, the paired difference with its band, up to the risk where treating all has
    long lost.
    """
    top = max(0.01, *curve["high"].drop_nulls().to_list(), *curve["net_benefit"].drop_nulls().to_list())
    shown = curve.filter((pl.col("treat_all") > -top) & pl.col("over_all").is_not_null())
    columns = ("over_all", "over_all_low", "over_all_high")
    values = [value for name in columns for value in shown[name].drop_nulls().to_list()]
    x = axis([0, max(shown["at"].to_list(), default=1.0)], say("axis.risk"), words=percent, count=6, nice=False)
    plot = Plot(WIDTH, 200, x, axis([min([0.0, *values]), max([0.01, *values])], say("axis.gain")))
    band = shown.select("at", *columns[1:]).drop_nulls()
    low, high = (band[name].to_numpy() for name in columns[1:])
    plot.area(band["at"].to_numpy(), high, ACCENT, 0.15, low)
    plot.line(shown["at"].to_numpy(), shown["over_all"].to_numpy(), ACCENT, 1.8)
    plot.line(shown["at"].to_numpy(), 0 * shown["at"].to_numpy(), GREY, 1.2)
    return plot.drawn(say("alt.gain"), data=shown.select("at", *columns))


def ahead(curve: pl.DataFrame) -> tuple[float, float] | None:
    """The risks between which the intervals lie above both treating all and treating none; None where nowhere.

    >>> ahead(pl.DataFrame({"at": [0.1, 0.2, 0.3], "low": [0.1, 0.1, -0.1], "over_all_low": [-0.1, 0.1, 0.2]}))
    (0.2, 0.2)
    """
    better = curve.filter((pl.col("low") > 0) & (pl.col("over_all_low") > 0))["at"]
    return None if better.is_empty() else (float(better[0]), float(better[-1]))
