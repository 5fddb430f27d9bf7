"""How far the probabilities mean what they say: Brier score, log loss, expected calibration error, the curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Predictions

from ._curves import one_class
from .intervals import wilson

__all__ = ["calibration_curve", "columns", "from_sums"]

BINS = 15


def columns(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], positive: int
) -> tuple[NDArray[np.float64], int]:
    """What each case adds to the Brier score, the log loss and the gap of its bin: float64 (N, 2 + bins), and bins.

    Brier: (p - t)^2 of the positive class with two classes, the sum over the classes with more. ECE: 15 bins of equal
    width over the probability of the positive class with two classes, over that of the called class with more
    (Guo et al. 2017).
    """
    N, K = probabilities.shape
    truth = targets[:, None] == np.arange(K)
    squared = (probabilities - truth) ** 2
    brier = squared[:, positive] if K == 2 else squared.sum(axis=1)
    log_loss = -np.log(np.clip(probabilities[np.arange(N), targets], np.finfo(np.float64).eps, 1))
    called = probabilities.argmax(axis=1) if K > 2 else np.full(N, positive)
    said, came = probabilities[np.arange(N), called], targets == called
    place = np.clip((said * BINS).astype(np.int64), 0, BINS - 1)
    gaps = np.zeros((N, BINS))
    gaps[np.arange(N), place] = came - said
    return np.column_stack([brier, log_loss, gaps]), BINS


def from_sums(sums: NDArray[np.float64], total: NDArray[np.float64], bins: int) -> dict[str, NDArray[np.float64]]:
    """Brier, log loss and ECE from the weighted sums (R, 2 + bins) of `columns` and the total weights (R,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "brier": sums[:, 0] / total,
            "log_loss": sums[:, 1] / total,
            "ece": np.abs(sums[:, 2 : 2 + bins]).sum(axis=1) / total,
        }


def calibration_curve(predictions: Predictions, of: str | None = None, bins: int = 10) -> pl.DataFrame:
    """Forecast against observed share of class `of` (default: the positive one), in bins of nearly equal counts.

    Columns forecast (mean probability), observed, low, high (Wilson's 95 % interval of the observed share) and cases.
    Cases of equal probability stay in one bin.
    """
    said, came = one_class(predictions, of)
    place = np.searchsorted(np.sort(said), said) * bins // len(said)  # by how many cases have less
    cases = np.bincount(place)
    held = cases > 0
    forecast = np.bincount(place, said)[held] / cases[held]
    hits: NDArray[Any] = np.bincount(place, came)[held]
    low, high = wilson(hits, cases[held])
    observed = hits / cases[held]
    return pl.DataFrame(
        {"forecast": forecast, "observed": observed, "low": low, "high": high, "cases": cases[held].astype(np.int64)}
    )
