"""How the training went."""

from __future__ import annotations

from typing import Any

from evenray.reporting.figures.learning import learning
from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["context"]


def context(run: Run, say: Language) -> dict[str, Any] | None:
    history = run.history
    if history is None or history.is_empty():
        return None
    timed = [float(history[name].sum()) for name in ("seconds", "validation_seconds") if name in history.columns]
    return {
        "figures": learning(history, say),
        "epochs": int(history["epoch"].n_unique()),
        "time": say.duration(sum(timed)) if timed else None,
        "table": history.rows(named=True),
        "columns": [c for c in history.columns if c != "epoch"],
    }
