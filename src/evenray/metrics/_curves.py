"""One class of the predictions against the rest."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import unknown_name
from evenray.core.types import Predictions

__all__ = ["against_rest", "one_class"]


def one_class(predictions: Predictions, name: str | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The probability of class `name` (None: the positive one) and who has it: float64 (N,), bool (N,)."""
    name = predictions.positive if name is None else name
    if name not in predictions.classes:
        raise unknown_name("class", name, predictions.classes)
    k = predictions.classes.index(name)
    return predictions.probabilities[:, k], predictions.targets == k


def against_rest(predictions: Predictions, k: int) -> Predictions:
    """The predictions of class number `k` against the rest, of the classes ('rest', its name)."""
    p, name = predictions.probabilities[:, k], predictions.classes[k]
    columns = [
        pl.Series("target", (predictions.targets == k).astype(np.int64)),
        pl.Series("p_0", 1 - p),
        pl.Series("p_1", p),
    ]
    return Predictions(predictions.table.with_columns(columns), ("rest", name), name)
