"""Learning curves: what the losses, the ranking metrics and the learning rate did epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from evenray.reporting.language import Language

from .plot import Plot, axis
from .svg import ACCENT, GREY, OTHERS, Svg, number

__all__ = ["PANELS", "learning"]

PANELS = {
    "loss": {"train_loss": GREY, "validation_loss": ACCENT},
    "ranking": {"validation_auroc": ACCENT, "validation_macro_auprc": OTHERS[0]},
    "overlap": {"validation_dice": ACCENT},
    "average_precision": {"validation_map50": ACCENT},
    "rate": {"learning_rate": GREY},
}


def learning(history: pl.DataFrame, panel: str, lines: Mapping[str, str], say: Language) -> Svg:
    """The columns of `history` that `lines` names with their colours, against its epochs; a line for each member. What was
    never measured, as the loss of boxes in windows, has none."""
    lines = {column: colour for column, colour in lines.items() if not history[column].cast(pl.Float64).is_nan().all()}
    words = {column: say(f"learning.{column}") for column in lines}
    members = history.partition_by("member", maintain_order=True) if "member" in history.columns else [history]
    x = axis(history["epoch"], say("axis.epoch"), words=number, count=6, least=1, nice=False, grid=False)
    values = pl.concat([history[column].cast(pl.Float64) for column in lines]).drop_nulls()
    plot = Plot(
        215,
        150,
        x,
        axis(values, say(f"axis.{panel}"), words=number, zero=panel not in ("ranking", "overlap", "average_precision")),
    )
    for column, colour in lines.items():
        for own in members:
            known = own.select("epoch", y=pl.col(column).cast(pl.Float64)).drop_nulls()
            at, y = known["epoch"].to_numpy(), known["y"].to_numpy()
            plot.line(at, y, colour)
            plot.dots(at, y, colour, 2.6, [f"{words[column]} {e}: {v:.4g}" for e, v in zip(at, y, strict=True)])
    label = say("alt.learning", title=say(f"learning.{panel}.title"))
    return plot.drawn(label, {words[column]: colour for column, colour in lines.items()})
