"""The imbalance bench: what each remedy does to a metric as the positive class of the training part is made rarer."""

from __future__ import annotations

from typing import Any

import numpy as np

from evenray.reporting.drawing import Axis, Plot, Scale, axis
from evenray.reporting.language import Language
from evenray.reporting.style import ACCENT, GREY, INK, OTHERS, WIDTH, Figure, figure

__all__ = ["SHOWN", "imbalance"]

SHOWN = ("auprc", "sensitivity_at_specificity", "ece")
ASIDE = 0.5  # how far apart, in steps between ratios, the first and the last remedy stand


def imbalance(rows: list[dict[str, Any]], ratios: list[str], metric: str, say: Language) -> Figure:
    """One line a remedy with its 95 % intervals, none in ink; ratios stand side by side, the data's own first if it is there."""
    remedies = list(dict.fromkeys(row["balance"] for row in rows))
    others = [ACCENT, *OTHERS, GREY]
    colours = {name: INK if name == "none" else others[(i - 1) % len(others)] for i, name in enumerate(remedies)}
    names = [say("compare.own") if ratio == "own" else ratio for ratio in ratios]
    scale = Scale(-0.4, len(ratios) - 0.6)
    met = [row[column] for row in rows for column in (metric, f"{metric}_low", f"{metric}_high")]
    y = axis([np.nan if value is None else value for value in met], say.name("metric", metric))
    plot = Plot(WIDTH, 220, Axis(scale, dict(enumerate(names)), say("axis.ratio"), grid=False), y)
    for place, (name, colour) in enumerate(colours.items()):
        own = [row for row in rows if row["balance"] == name]
        at = [ratios.index(row["imbalance"]) + _aside(place, len(remedies)) for row in own]
        for x, row in zip(at, own, strict=True):
            ends = [row[f"{metric}_low"], row[f"{metric}_high"]]
            if None not in ends:
                plot.line([x, x], ends, colour, 1.2, opacity=0.7)
        values = np.array([row[metric] for row in own], np.float64)
        order = np.argsort(at)
        plot.line(np.array(at)[order], values[order], colour, 1.6, opacity=0.8)
        plot.dots(at, values, colour, 3.4, [f"{name} {row['imbalance']}: {say.number(row[metric])}" for row in own])
    title = say("compare.curve", metric=say.name("metric", metric))
    caption = say("compare.curve_caption", contrast=rows[0]["contrast"])
    return figure(plot.drawn(colours), f"imbalance-{metric}", title, caption, say("alt.imbalance", title=title))


def _aside(place: int, count: int) -> float:
    return 0.0 if count < 2 else ASIDE * (place / (count - 1) - 0.5)
