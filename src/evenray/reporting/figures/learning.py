"""Learning curves: what the losses, the ranking metrics and the learning rate did epoch by epoch."""

from __future__ import annotations

import polars as pl

from evenray.reporting.drawing import Plot, axis, number
from evenray.reporting.language import Language
from evenray.reporting.style import ACCENT, GREY, OTHERS, Figure, figure

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
    members = history.partition_by("member", maintain_order=True) if "member" in history.columns else [history]
    x = axis(history["epoch"], say("axis.epoch"), words=number, count=6, least=1, nice=False, grid=False)
    values = pl.concat([history[column].cast(pl.Float64) for column in lines]).drop_nulls()
    short = number if panel != "rate" else _short
    plot = Plot(THIRD, 150, x, axis(values, say(f"axis.{panel}"), words=short, zero=panel != "ranking"))
    for column, colour in lines.items():
        for own in members:
            known = own.select("epoch", y=pl.col(column).cast(pl.Float64)).drop_nulls()
            at, y = known["epoch"].to_numpy(), known["y"].to_numpy()
            plot.line(at, y, colour)
            plot.dots(at, y, colour, 2.6, [f"{words[column]} {e}: {v:.4g}" for e, v in zip(at, y, strict=True)])
    title = say(f"learning.{panel}.title")
    drawn = plot.drawn({words[column]: colour for column, colour in lines.items()})
    return figure(drawn, f"learning-{panel}", title, say(f"learning.{panel}.caption"), say("alt.learning", title=title))


def _short(value: float) -> str:
    """
    >>> _short(0.0005), _short(0)
    ('5e-4', '0')
    """
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{float(digits):g}e{int(power)}" if value else "0"
