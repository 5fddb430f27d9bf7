"""How the training went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evenray.reporting.figures.learning import PANELS, learning
from evenray.reporting.figures.svg import Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

Row = dict[str, Any]  # of the history


@dataclass(frozen=True)
class Shown:
    figures: list[Figure]
    epochs: int
    time: str | None
    table: list[Row]
    columns: list[str]


def context(run: RunView, say: Language) -> Shown | None:
    history = run.history
    if history is None or history.is_empty():
        return None
    measured = {name for name in history.columns if history[name].is_not_null().any()}
    figures = []
    for panel, lines in PANELS.items():
        if held := {name: colour for name, colour in lines.items() if name in measured}:
            title, caption = (say(f"learning.{panel}.{kind}") for kind in ("title", "caption"))
            figures.append(Figure(title, learning(history, panel, held, say), caption))
    timed = [float(history[name].sum()) for name in ("seconds", "validation_seconds") if name in history.columns]
    return Shown(
        figures=figures,
        epochs=int(history["epoch"].n_unique()),
        time=say.duration(sum(timed)) if timed else None,
        table=history.rows(named=True),
        columns=[c for c in history.columns if c != "epoch"],
    )
