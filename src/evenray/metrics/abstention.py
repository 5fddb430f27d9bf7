"""Abstention: how much more often a model is right where it may leave the least certain cases unanswered.

The accuracy of the cases answered against their share (El-Yaniv & Wiener, JMLR 2010; Geifman & El-Yaniv 2017), and its mean over
all shares, the area. Answering at random keeps the accuracy of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Estimate, Predictions

from ._meter import decide
from .intervals import clustered_share, percentile_interval, replicates

__all__ = ["SHARES", "Abstention", "abstention", "certainty"]

Floats = NDArray[np.float64]
SHARES = tuple(np.linspace(0.05, 1.0, 20).round(2).tolist())
TINY = 1e-12


@dataclass(frozen=True)
class Abstention:
    """The accuracy of the `shares` of cases that are answered first, with Wilson's 95 % interval of as many cases as they tell
    (`clustered_share`), and of each class the share of its cases that is among them, (classes, shares); `area` is the mean
    accuracy over all shares, with an interval from a bootstrap over patients (NaN where no resample moves it), its baseline
    that of answering at random."""

    shares: tuple[float, ...]
    accuracy: Floats
    low: Floats
    high: Floats
    answered: Floats
    area: Estimate


def certainty(predictions: Predictions, threshold: float | None = None) -> Floats:
    """How certain each call is, float64 (N,): of two classes how far the log-odds are from those of the threshold, of more the
    probability of the class that is called.

    `threshold` as in `decide`.
    """
    p = predictions.probabilities
    if len(predictions.classes) > 2:
        return np.asarray(p.max(axis=1))
    usual = 0.5 if predictions.thresholds is None else predictions.thresholds
    cut = np.asarray(usual if threshold is None else threshold, np.float64)
    return np.asarray(np.abs(_log_odds(p[:, predictions.positive_index]) - _log_odds(cut)))


def _log_odds(p: Floats) -> Floats:
    inside = np.clip(p, TINY, 1 - TINY)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def abstention(
    predictions: Predictions, threshold: float | None = None, *, seed: int = 0, resamples: int = 1000,
    shares: Sequence[float] = SHARES,
) -> Abstention:  # fmt: skip
    """What comes of answering the most certain cases alone; `threshold` as in `decide`."""
    right = decide(predictions, threshold) == predictions.targets
    certain = certainty(predictions, threshold)
    order = np.argsort(-certain, kind="stable")
    # Cases as certain as each other are answered together, in expectation.
    ends = np.flatnonzero(np.append(np.diff(certain[order]) != 0, True))
    at = np.asarray(shares, np.float64)

    def sums(W: NDArray[np.floating]) -> tuple[Floats, Floats]:
        """The shares answered and answered rightly, (R, ends)."""
        w = W[:, order].astype(np.float64)
        whole = w.sum(axis=1, keepdims=True)
        return np.cumsum(w, axis=1)[:, ends] / whole, np.cumsum(w * right[order], axis=1)[:, ends] / whole

    share_N, right_N = sums(np.ones((1, len(right))))
    curve = np.interp(at, (0, *share_N[0]), (0, *right_N[0])) / at
    spread = replicates(lambda W: {"area": _area(*sums(W))}, predictions.patients, resamples, seed)
    answered = [order[: max(1, round(share * len(order)))] for share in shares]
    bounds = np.array([clustered_share(right[some], predictions.patients[some]) for some in answered])
    low, high = percentile_interval(spread["area"])
    low, high = (low, high) if high - low > TINY else (np.nan, np.nan)
    area, everybody = float(_area(share_N, right_N)[0]), float(right.mean())
    K = len(predictions.classes)
    return Abstention(
        tuple(shares), curve, np.minimum(bounds[:, 0], curve), np.maximum(bounds[:, 1], curve),
        np.stack([_answered(predictions.targets[order] == k, ends, at) for k in range(K)]),
        Estimate(area, low, high, everybody),
    )  # fmt: skip


def _answered(own: NDArray[np.bool_], ends: NDArray[np.int64], at: Floats) -> Floats:
    """The share of a class's cases among the most certain shares of all; NaN of a class without a case."""
    if not own.any():
        return np.full(len(at), np.nan)
    return np.asarray(np.interp(at, (0, *((ends + 1) / len(own))), (0, *(np.cumsum(own)[ends] / own.sum()))))


def _area(answered: Floats, correct: Floats) -> Floats:
    """The mean over shares s of C(s) / s, where C, the share answered rightly, is linear between its points: float64 (R,)."""
    a = np.concatenate([np.zeros((len(answered), 1)), answered], axis=1)
    c = np.concatenate([np.zeros((len(correct), 1)), correct], axis=1)
    width = np.diff(a, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.diff(c, axis=1) / width
        piece = slope * width + (c[:, :-1] - slope * a[:, :-1]) * np.log(a[:, 1:] / a[:, :-1])
    from_nothing = a[:, :-1] == 0  # C(s) / s is the slope there
    piece = np.where(from_nothing, slope * width, piece)
    return np.asarray(np.where(width > 0, piece, 0.0).sum(axis=1))
