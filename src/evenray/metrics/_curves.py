"""One class of the predictions against the rest."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import UsageError, unknown_name
from evenray.core.types import Predictions

__all__ = ["against_rest", "one_class", "require_classes"]


def one_class(predictions: Predictions, name: str | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The probability of class `name` (None: the positive one) and who has it: float64 (N,), bool (N,)."""
    require_classes(predictions)
    name = predictions.positive if name is None else name
    if name not in predictions.classes:
        raise unknown_name("class", name, predictions.classes)
    k = predictions.classes.index(name)
    return predictions.probabilities[:, k], predictions.targets == k


def require_classes(predictions: Predictions) -> None:
    """UsageError where the predictions are of several findings, which have no one class."""
    if predictions.task != "classify":
        raise UsageError(
            f"These predictions are of the findings {', '.join(predictions.classes)}; take one of them, as in"
            f" predictions.finding('{predictions.classes[0]}'), or score_findings for the means over all."
        )


def against_rest(predictions: Predictions, k: int) -> Predictions:
    """The predictions of class number `k` against the rest, of the classes ('rest', its name)."""
    p, name = predictions.probabilities[:, k], predictions.classes[k]
    columns = [
        pl.Series("target", (predictions.targets == k).astype(np.int64)),
        pl.Series("p_0", 1 - p),
        pl.Series("p_1", p),
    ]
    return Predictions(predictions.table.with_columns(columns), ("rest", name), name)
