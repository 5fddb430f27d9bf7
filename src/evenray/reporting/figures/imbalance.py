"""The imbalance bench: what each remedy does to a metric as the positive class of the training part is made rarer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale, axis
from .svg import ACCENT, GREY, INK, OTHERS, WIDTH, Svg

__all__ = ["SHOWN", "imbalance"]

SHOWN = ("auprc", "sensitivity_at_specificity", "ece")
ASIDE = 0.5  # how far apart, in steps between ratios, the first and the last remedy stand


def imbalance(cells: pl.DataFrame, ratios: Sequence[str], metric: str, say: Language) -> Svg:
    """One line a remedy with its 95 % intervals, none in ink; ratios stand side by side, the data's own first if it is there.

    `cells` has the columns balance, imbalance (one of the ratios), and the metric with its ends, METRIC_low and METRIC_high.
    """
    remedies = cells["balance"].unique(maintain_order=True).to_list()
    others = [ACCENT, *OTHERS, GREY]
    colours = {name: INK if name == "none" else others[(i - 1) % len(others)] for i, name in enumerate(remedies)}
    names = [say("compare.own") if ratio == "own" else ratio for ratio in ratios]
    columns = [metric, f"{metric}_low", f"{metric}_high"]
    met = cells.select(columns).cast(pl.Float64).to_numpy().ravel()
    x = Axis(Scale(-0.4, len(ratios) - 0.6), dict(enumerate(names)), say("axis.ratio"), grid=False)
    plot = Plot(WIDTH, 220, x, axis(met, say.name("metric", metric)))
    for place, (name, colour) in enumerate(colours.items()):
        aside = ASIDE * (place / max(len(remedies) - 1, 1) - 0.5) if len(remedies) > 1 else 0.0
        own = cells.filter(balance=name)
        at = np.array([ratios.index(ratio) + aside for ratio in own["imbalance"]])
        values, lows, highs = own.select(columns).cast(pl.Float64).to_numpy().T
        for x_at, low, high in zip(at, lows, highs, strict=True):
            plot.line([x_at, x_at], [low, high], colour, 1.2, opacity=0.7)
        order = np.argsort(at)
        plot.line(at[order], values[order], colour, 1.6, opacity=0.8)
        told = zip(own["imbalance"], values.tolist(), strict=True)
        plot.dots(at, values, colour, 3.4, [f"{name} {ratio}: {say.number(value)}" for ratio, value in told])
    title = say("compare.curve", metric=say.name("metric", metric))
    return plot.drawn(say("alt.imbalance", title=title), colours, cells.select("balance", "imbalance", *columns))
