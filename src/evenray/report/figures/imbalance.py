"""The imbalance bench: what each remedy does to a metric as the positive class of the training part is made rarer."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from ..language import Language
from ..style import ACCENT, GREY, INK, OTHERS, Figure, colour_scale, figure

__all__ = ["SHOWN", "imbalance"]

SHOWN = ("auprc", "sensitivity_at_specificity", "ece")
WIDE = 330
ASIDE = 0.5  # how far apart, in steps between ratios, the first and the last remedy stand


def imbalance(rows: list[dict[str, Any]], ratios: list[str], metric: str, say: Language) -> Figure:
    """One line a remedy with its 95 % intervals, none in ink; ratios stand side by side, the data's own first if it is there."""
    remedies = list(dict.fromkeys(row["balance"] for row in rows))
    others = [ACCENT, *OTHERS, GREY]
    colours = {name: INK if name == "none" else others[(i - 1) % len(others)] for i, name in enumerate(remedies)}
    table = pl.DataFrame([
        {
            "x": ratios.index(row["imbalance"]) + _aside(remedies.index(row["balance"]), len(remedies)),
            "y": row[metric], "low": row[f"{metric}_low"], "high": row[f"{metric}_high"], "remedy": row["balance"],
            "words": f"{row['balance']} {row['imbalance']}: {row[metric]:.3f}",
        }
        for row in rows
    ])  # fmt: skip
    names = [say("compare.own") if ratio == "own" else ratio for ratio in ratios]
    words = " : ".join(f"datum.value == {i} ? '{name}'" for i, name in enumerate(names)) + " : ''"
    axis = alt.Axis(values=list(range(len(ratios))), labelExpr=words, grid=False)
    x = alt.X("x:Q", title=say("axis.ratio"), axis=axis, scale=alt.Scale(domain=[-0.4, len(ratios) - 0.6], nice=False))
    y = alt.Y("y:Q", title=say.name("metric", metric), axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=False))
    colour = alt.Color("remedy:N", scale=colour_scale(colours), title=None, sort=remedies, legend=alt.Legend(columns=3))
    base = alt.Chart(table, width=WIDE, height=220).encode(x=x, color=colour)
    bars = base.mark_rule(strokeWidth=1.2, opacity=0.7).encode(
        y=alt.Y("low:Q", title=say.name("metric", metric)), y2="high:Q"
    )
    lines = base.mark_line(strokeWidth=1.6, opacity=0.8).encode(y=y)
    dots = base.mark_point(filled=True, size=36, opacity=1).encode(y=y, description="words:N")
    title = say("compare.curve", metric=say.name("metric", metric))
    caption = say("compare.curve_caption", contrast=rows[0]["contrast"])
    return figure(
        alt.layer(bars, lines, dots), f"imbalance-{metric}", title, caption, say("alt.imbalance", title=title)
    )


def _aside(place: int, count: int) -> float:
    return 0.0 if count < 2 else ASIDE * (place / (count - 1) - 0.5)
