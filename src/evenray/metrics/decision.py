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

    Columns at, net_benefit, low, high (95 % bootstrap over patients), treat_all, treat_none (0). Net benefit is the
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
    one = _net_benefit(columns.sum(axis=0, dtype=np.float64)[None], risk, share)
    spread = [_net_benefit(W @ columns, risk, share) for W in multiplicities(predictions.patients, resamples, seed)]
    every = np.concatenate(spread) if spread else np.full((1, len(risk)), np.nan)
    low, high = np.nanquantile(every, [0.025, 0.975], axis=0) if resamples else (every[0], every[0])
    prior = float(positive.mean()) if share is None else share
    return pl.DataFrame(
        {
            "at": risk,
            "net_benefit": one[0],
            "low": low,
            "high": high,
            "treat_all": prior - (1 - prior) * risk / (1 - risk),
            "treat_none": np.zeros(len(risk)),
        }
    )


def _net_benefit(sums: NDArray[Any], risk: NDArray[np.float64], share: float | None) -> NDArray[np.float64]:
    T = len(risk)
    true, false = sums[:, :T].astype(np.float64), sums[:, T : 2 * T].astype(np.float64)
    positives, negatives = sums[:, -2:-1].astype(np.float64), sums[:, -1:].astype(np.float64)
    odds = risk / (1 - risk)
    if share is None:
        return np.asarray((true - false * odds) / (positives + negatives))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(share * true / positives - (1 - share) * odds * false / negatives)
