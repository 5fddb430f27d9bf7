"""The set of classes beside each answer: those that the conformal thresholds of the run leave in it."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.metrics.conformal import prediction_sets

from .about import About

__all__ = ["EMPTY", "set_columns"]

EMPTY = "(empty)"  # no class is as probable as its own cases are


def set_columns(about: About, logits_NK: NDArray[np.float64]) -> list[pl.Series]:
    """The column `set`, or `set_FINDING` for each, of the names of the classes joined by |; null where the run has too few
    patients of a class for the coverage."""
    found = []
    p_NK = about.uncalibrated(logits_NK)
    for k, (one, least) in enumerate(zip(about.decisions, about.sets, strict=True)):
        ending = f"_{one.question.name}" if about.points else ""
        values: list[str | None] = [None] * len(p_NK)
        if least is not None:
            own = np.column_stack([1 - p_NK[:, k], p_NK[:, k]]) if about.points else p_NK
            sets = prediction_sets(own, least, ordered=about.ordered)
            names = np.array(one.question.classes, dtype=object)
            values = ["|".join(names[each]) or EMPTY for each in sets]
        found.append(pl.Series(f"set{ending}", values, pl.String))
    return found
