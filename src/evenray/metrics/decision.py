"""Decision curves: the net benefit of treating by the forecast, beside treating everybody or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from evenray.core.errors import UsageError
from evenray.core.types import Predictions

from ._curves import one_class
from ._prior import class_prior
from .intervals import multiplicities

__all__ = ["decision_curve"]


def decision_curve(
    predictions: Predictions,
    at: ArrayLike | None = None,
    *,
    prevalence: float | Sequence[float] | NDArray[Any] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> pl.DataFrame:
    """Net benefit of treating those whose probability reaches `at` (default 0.01 to 0.99) (Vickers & Elkin 2006).

    Columns at, net_benefit, low, high (95 % bootstrap over patients), treat_all, treat_none (0), and what the forecast gains
    over treating everybody: over_all, over_all_low, over_all_high (on the same resamples, so paired). Net benefit is the
    share of true positives less that of false ones at the odds at / (1 - at), at the `prevalence` given or that of the
    cases. With more than two classes, of the positive class against the rest.
    """
    risk = np.linspace(0.01, 0.99, 99) if at is None else np.asarray(at, dtype=np.float64)
    if not ((risk > 0) & (risk < 1)).all():
        raise UsageError("The risks of a decision curve must lie between 0 and 1, without either.")
    scores, positive = one_class(predictions, None)
    share = None
    if prevalence is not None:
        share = float(class_prior(prevalence, predictions)[predictions.positive_index])
    treated = scores[:, None] >= risk
    columns = np.column_stack([treated & positive[:, None], treated & ~positive[:, None], positive, ~positive]).astype(
        np.float32
    )
    one = _net_benefits(columns.sum(axis=0, dtype=np.float64)[None], risk, share)
    spread = [_net_benefits(W @ columns, risk, share) for W in multiplicities(predictions.patients, resamples, seed)]
    every = np.concatenate(spread, axis=1) if spread else np.full_like(one, np.nan)
    bounds = np.full((2, 2, len(risk)), np.nan)  # at a prevalence nothing is known of a class without a case
    if not resamples:
        bounds = np.stack([every[:, 0]] * 2)
    elif np.isfinite(every).any():
        bounds = np.nanquantile(every, [0.025, 0.975], axis=1)
    (low, over_low), (high, over_high) = bounds
    prior = float(positive.mean()) if share is None else share
    return pl.DataFrame(
        {
            "at": risk,
            "net_benefit": one[0, 0],
            "low": low,
            "high": high,
            "treat_all": prior - (1 - prior) * risk / (1 - risk),
            "treat_none": np.zeros(len(risk)),
            "over_all": one[1, 0],
            "over_all_low": over_low,
            "over_all_high": over_high,
        }
    )


def _net_benefits(sums: NDArray[Any], risk: NDArray[np.float64], share: float | None) -> NDArray[np.float64]:
    """The net benefit of the forecast, and its gain over treating everybody, float64 (2, R, risks)."""
    T = len(risk)
    true, false = sums[:, :T].astype(np.float64), sums[:, T : 2 * T].astype(np.float64)
    positives, negatives = sums[:, -2:-1].astype(np.float64), sums[:, -1:].astype(np.float64)
    odds = risk / (1 - risk)
    if share is None:
        whole = positives + negatives
        found = (true - false * odds) / whole
        return np.stack([found, found - (positives - negatives * odds) / whole])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = share * true / positives - (1 - share) * odds * false / negatives
    return np.stack([found, found - (share - (1 - share) * odds)])
