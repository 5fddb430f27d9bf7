"""Calibration of the probabilities: Brier score, log loss, expected calibration error, the curve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Predictions

from ._curves import one_class
from ._prior import Prior, case_weights
from .intervals import clustered_share

__all__ = ["calibration_curve", "columns", "ece_by_chance", "from_sums"]

BINS = 15
DRAWS = 400


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
    called, said, place = _forecast(probabilities, positive)
    came = targets == called
    gaps = np.zeros((N, BINS))
    gaps[np.arange(N), place] = came - said
    return np.column_stack([brier, log_loss, gaps]), BINS


def _forecast(
    probabilities: NDArray[np.float64], positive: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """The class that the forecast is about, its probability, and the bin of that: each (N,)."""
    N, K = probabilities.shape
    called = probabilities.argmax(axis=1) if K > 2 else np.full(N, positive)
    said = probabilities[np.arange(N), called]
    return called, said, np.clip((said * BINS).astype(np.int64), 0, BINS - 1)


def ece_by_chance(predictions: Predictions, seed: int = 0, prior: NDArray[np.float64] | None = None) -> float:
    """The ECE that calibrated forecasts exceed once in forty times, by chance alone.

    Outcomes are drawn from the forecasts themselves (Broecker & Smith 2007), those of one patient's images together. With
    `prior` (K,), at which the forecasts hold, they are drawn at the class shares of the cases and weighted to it.
    """
    called, said, place = _forecast(predictions.probabilities, predictions.positive_index)
    patients, rng, found = predictions.patients, np.random.default_rng([seed, 3]), []
    drawn = None if prior is None else _weighted_draw(predictions, called, prior)
    for _ in range(DRAWS):
        u = rng.random(int(patients.max()) + 1)[patients]
        right, weights = (u < said, np.ones(len(said))) if drawn is None else drawn(u)
        found.append(np.abs(np.bincount(place, weights * (right - said), BINS)).sum() / weights.sum())
    return float(np.quantile(found, 0.975))


def _weighted_draw(
    predictions: Predictions, called: NDArray[np.int64], prior: NDArray[np.float64]
) -> Callable[[NDArray[np.float64]], tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """From uniform numbers (N,): whether the called class came at the class shares of the cases, and what each case counts
    for `prior`.
    """
    N, K = predictions.probabilities.shape
    shares = np.bincount(predictions.targets, minlength=K) / N
    p_NK = predictions.probabilities * np.divide(shares, prior, out=np.zeros(K), where=prior > 0)
    below_NK = (p_NK / p_NK.sum(axis=1, keepdims=True)).cumsum(axis=1)[:, :-1]

    def draw(u_N: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        came = (u_N[:, None] >= below_NK).sum(axis=1)
        return came == called, (prior * N / np.maximum(np.bincount(came, minlength=K), 1))[came]

    return draw


def from_sums(sums: NDArray[np.float64], total: NDArray[np.float64], bins: int) -> dict[str, NDArray[np.float64]]:
    """Brier, log loss and ECE from the weighted sums (R, 2 + bins) of `columns` and the total weights (R,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "brier": sums[:, 0] / total,
            "log_loss": sums[:, 1] / total,
            "ece": np.abs(sums[:, 2 : 2 + bins]).sum(axis=1) / total,
        }


def calibration_curve(
    predictions: Predictions, of: str | None = None, bins: int = 10, *, prevalence: Prior | None = None
) -> pl.DataFrame:
    """Forecast against observed share of class `of` (default: the positive one), in bins of nearly equal counts.

    Columns forecast (mean probability), observed, low, high (Wilson's 95 % interval of the observed share, over the
    patients: see `clustered_share`) and cases. Cases of equal probability stay in one bin. At a `prevalence` (a share of
    the positive class, or one for each class) the cases are weighted to it, as in `score`, for probabilities that are
    those for it; a weight multiplies the odds of the observed share, so it multiplies those of the bounds too.
    """
    said, came = one_class(predictions, of)
    weights = case_weights(predictions, prevalence)
    place = np.searchsorted(np.sort(said), said) * bins // len(said)  # by how many cases have less
    cases = np.bincount(place)
    held = np.flatnonzero(cases)
    forecast = np.bincount(place, said * weights)[held] / np.bincount(place, weights)[held]
    found = []
    for at in (place == b for b in held):
        shares = np.array([came[at].mean(), *clustered_share(came[at], predictions.patients[at])])
        there = _mean(weights, came) * shares
        found.append(there / (there + _mean(weights, ~came & at, ~came) * (1 - shares)))
    observed, low, high = np.array(found).T
    return pl.DataFrame(
        {"forecast": forecast, "observed": observed, "low": low, "high": high, "cases": cases[held].astype(np.int64)}
    )


def _mean(weights: NDArray[np.float64], *chosen: NDArray[np.bool_]) -> float:
    """The mean weight of the cases first chosen of which there are any; 1 where there are none."""
    return next((float(weights[cases].mean()) for cases in chosen if cases.any()), 1.0)
