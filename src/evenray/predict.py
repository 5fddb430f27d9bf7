"""Prediction: logits become probabilities at the true prevalence, and a table that metrics and reports live on."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.balance import Balance
from evenray.core.types import Dataset, Predictions
from evenray.metrics import Calibration

__all__ = ["predictions"]

CARRIED = ("site", "sex")


def predictions(
    dataset: Dataset,
    logits: NDArray[np.float64],
    balance: Balance,
    prior: NDArray[np.float64],
    calibration: Calibration | None = None,
) -> Predictions:
    """The predictions of a data set's cases from their logits, float64 (cases, K).

    What the remedy did to the class prior is undone in closed form: probabilities are those at `prior` (K,), the class
    shares of the training part. What `calibration` learnt on the validation part comes after that.
    """
    corrected = balance.correct(logits, prior)
    posterior = np.exp(corrected) if calibration is None else calibration.apply(corrected)
    K = len(dataset.classes)
    table = dataset.cases.select("case", "patient", "part", "label").with_columns(
        pl.Series("target", dataset.targets),
        *[pl.Series(f"logit_{k}", logits[:, k]) for k in range(K)],
        *[pl.Series(f"p_{k}", posterior[:, k]) for k in range(K)],
        *[dataset.cases[name] for name in CARRIED if name in dataset.cases.columns],
    )
    return Predictions(table, dataset.classes, dataset.positive)
