"""Learning curves: what the losses, the ranking metrics and the learning rate did epoch by epoch."""

from __future__ import annotations

import altair as alt
import polars as pl

from ..language import Language
from ..style import ACCENT, GREY, OTHERS, Figure, colour_scale, figure

__all__ = ["learning"]

THIRD = 215

PANELS = {
    "loss": {"train_loss": GREY, "validation_loss": ACCENT},
    "ranking": {"validation_auroc": ACCENT, "validation_auprc": OTHERS[0]},
    "rate": {"learning_rate": GREY},
}


def learning(history: pl.DataFrame, say: Language) -> list[Figure]:
    """One panel each for the losses, the validation's AUROC and AUPRC, and the learning rate; empty ones are left out."""
    found = []
    for panel, lines in PANELS.items():
        held = [c for c in lines if c in history.columns and history[c].is_not_null().any()]
        if held:
            found.append(_panel(history, panel, {c: lines[c] for c in held}, say))
    return found


def _panel(history: pl.DataFrame, panel: str, lines: dict[str, str], say: Language) -> Figure:
    words = {column: say(f"learning.{column}") for column in lines}
    history = history if "member" in history.columns else history.with_columns(member=1)
    table = history.select("epoch", "member", *lines)
    table = table.unpivot(index=["epoch", "member"], variable_name="line", value_name="y").drop_nulls()
    table = table.with_columns(pl.col("line").replace_strict(words), pl.col("y").cast(pl.Float64))
    table = table.with_columns(words=pl.format("{} {}: {}", "line", "epoch", pl.col("y").round_sig_figs(4)))
    scale = colour_scale({words[column]: colour for column, colour in lines.items()})
    x = alt.X("epoch:Q", title=say("axis.epoch"), axis=alt.Axis(tickMinStep=1, tickCount=6, format="d", grid=False))
    number = alt.Axis(format="~g" if panel != "rate" else ".1e", tickCount=5)
    y = alt.Y("y:Q", title=say(f"axis.{panel}"), axis=number, scale=alt.Scale(zero=panel != "ranking"))
    colour = alt.Color("line:N", scale=scale, title=None, sort=list(scale.domain))
    base = alt.Chart(table, width=THIRD, height=150).encode(x=x.scale(nice=False), y=y, color=colour, detail="member:N")
    chart = base.mark_line(strokeWidth=2) + base.mark_point(filled=True, size=22, opacity=1).encode(
        description="words:N"
    )
    title = say(f"learning.{panel}.title")
    return figure(chart, f"learning-{panel}", title, say(f"learning.{panel}.caption"), say("alt.learning", title=title))
