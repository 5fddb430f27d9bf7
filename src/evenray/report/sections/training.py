"""How the training went."""

from __future__ import annotations

from typing import Any

from ..figures.learning import learning
from ..folder import Run
from ..language import Language

__all__ = ["context"]


def context(run: Run, say: Language) -> dict[str, Any] | None:
    history = run.history
    if history is None or history.is_empty():
        return None
    seconds = float(history["seconds"].sum()) if "seconds" in history.columns else None
    return {
        "figures": learning(history, say),
        "epochs": int(history["epoch"].n_unique()),
        "time": None if seconds is None else say.duration(seconds),
        "table": history.rows(named=True),
        "columns": [c for c in history.columns if c != "epoch"],
    }
