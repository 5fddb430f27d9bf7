"""Agreement: of grades with the truth (weighted kappa, distance), and of readers with each other (Cohen's and Fleiss' kappa)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Estimate, Predictions

from ._meter import decide
from ._prior import Prior, class_prior
from .intervals import percentile_interval, replicates
from .threshold import cells

__all__ = ["cohen_kappa", "fleiss_kappa", "grades", "kappa_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weights = Literal["none", "linear", "quadratic"]
POWERS = {"linear": 1, "quadratic": 2}


def kappa_of(tables_RKK: NDArray[Any], weights: Weights = "none") -> Floats:
    """Kappa of tables of counts (R, K, K): 1 - disagreement over that of chance, float64 (R,); NaN where chance has none.

    Disagreement is 1 off the diagonal (Cohen 1960), or grows with the distance of the classes or its square (Cohen 1968).

    >>> kappa_of(np.array([[[20, 5], [10, 15]]])).round(3)
    array([0.4])
    """
    K = tables_RKK.shape[1]
    apart = np.abs(np.arange(K)[:, None] - np.arange(K))
    cost_KK = (apart > 0).astype(np.float64) if weights == "none" else (apart / max(K - 1, 1)) ** POWERS[weights]
    tables = tables_RKK.astype(np.float64)
    total = tables.sum(axis=(1, 2))
    by_chance = np.einsum("ri,ij,rj->r", tables.sum(axis=2), cost_KK, tables.sum(axis=1))
    seen = (tables * cost_KK).sum(axis=(1, 2)) * total
    found = np.full(len(tables), np.nan)
    np.divide(seen, by_chance, out=found, where=by_chance > 0)
    return np.asarray(1 - found)


def grades(
    predictions: Predictions, threshold: float | None = None, *, prior: Prior | None = None, seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Estimate]:  # fmt: skip
    """Of ordered classes: weighted_kappa (quadratic weights) and grade_error (the mean distance of the called class from
    the true one, in grades), with 95 % percentile intervals from a bootstrap over patients.

    Classes are called as in `score`. The baseline calls the majority of `prior` for everybody: its kappa is 0, or undefined
    where that class is all there is.
    """
    called, targets, K = decide(predictions, threshold), predictions.targets, len(predictions.classes)
    within = cells(targets, called, K).astype(np.float32)
    distance = np.abs(called - targets).astype(np.float64)
    majority = int(class_prior(prior, predictions).argmax())

    def told(W: NDArray[Any]) -> dict[str, Floats]:
        tables = (W @ within).reshape(-1, K, K)
        return {"weighted_kappa": kappa_of(tables, "quadratic"), "grade_error": W @ distance / W.sum(axis=1)}

    values = told(np.ones((1, len(targets))))
    spread = replicates(told, predictions.patients, resamples, seed)
    always = kappa_of(np.eye(K)[targets].T @ np.eye(K)[np.full(len(targets), majority)][None], "quadratic")
    baseline = {"weighted_kappa": float(always[0]), "grade_error": float(np.abs(targets - majority).mean())}
    return {
        name: Estimate(float(value[0]), *_interval(spread.get(name)), baseline[name]) for name, value in values.items()
    }


def cohen_kappa(
    first_N: Sequence[int] | Ints, second_N: Sequence[int] | Ints, *, weights: Weights = "none",
    patients: Ints | None = None, seed: int = 0, resamples: int = 1000,
) -> Estimate:  # fmt: skip
    """Agreement of two readers beyond chance (Cohen 1960; weighted 1968), its 95 % interval from a bootstrap over patients.

    Readings are class indices, -1 where a reader said nothing; cases of one reading alone are left out. `patients` (N,)
    numbers the patients (default: each case stands alone). DataError where no case has both readings.

    >>> round(cohen_kappa([0, 0, 1, 1, 1], [0, 1, 1, 1, 1], resamples=0).value, 3)
    0.545
    """
    one, other = np.asarray(first_N, dtype=np.int64), np.asarray(second_N, dtype=np.int64)
    if one.shape != other.shape or one.ndim != 1:
        raise UsageError(f"The readings have shapes {one.shape} and {other.shape}; expected one a case of each reader.")
    both = (one >= 0) & (other >= 0)
    if not both.any():
        raise DataError("No case was read by both readers, so their agreement is not known.")
    K = int(max(one[both].max(), other[both].max())) + 1
    within = cells(one[both], other[both], K).astype(np.float32)

    def told(W: NDArray[Any]) -> dict[str, Floats]:
        return {"kappa": kappa_of((W @ within).reshape(-1, K, K), weights)}

    return _estimate(told, _numbered(patients, both), seed, resamples)


def fleiss_kappa(
    readings_NR: NDArray[Any], *, patients: Ints | None = None, seed: int = 0, resamples: int = 1000
) -> Estimate:
    """Agreement of several readers beyond chance (Fleiss 1971), its 95 % interval from a bootstrap over patients.

    `readings_NR` int (cases, readers), class indices, -1 where a reader said nothing: cases with fewer than two readings are
    left out, and the others count alike however many they have. DataError where there is none.

    >>> round(fleiss_kappa(np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1]]), resamples=0).value, 3)
    0.55
    """
    readings = np.asarray(readings_NR, dtype=np.int64)
    if readings.ndim != 2:
        raise UsageError(f"The readings have shape {readings.shape}; expected (cases, readers).")
    several = (readings >= 0).sum(axis=1) > 1
    if not several.any():
        raise DataError("No case has two readings or more, so the agreement of the readers is not known.")
    counts_NK = np.stack([(readings[several] == k).sum(axis=1) for k in range(int(readings.max()) + 1)], axis=1)
    n = counts_NK.sum(axis=1)
    agreed = (counts_NK * (counts_NK - 1)).sum(axis=1) / (n * (n - 1))
    shares_NK = counts_NK / n[:, None]

    def told(W: NDArray[Any]) -> dict[str, Floats]:
        total = W.sum(axis=1)
        chance = ((W @ shares_NK / total[:, None]) ** 2).sum(axis=1)
        found = np.full(len(W), np.nan)
        np.divide(W @ agreed / total - chance, 1 - chance, out=found, where=chance < 1)
        return {"kappa": found}

    return _estimate(told, _numbered(patients, several), seed, resamples)


def _estimate(told: Any, patients: Ints, seed: int, resamples: int) -> Estimate:
    value = float(told(np.ones((1, len(patients))))["kappa"][0])
    return Estimate(value, *_interval(replicates(told, patients, resamples, seed).get("kappa")), 0.0)


def _numbered(patients: Ints | None, kept: NDArray[np.bool_]) -> Ints:
    who = np.arange(len(kept)) if patients is None else np.asarray(patients)
    return np.asarray(np.unique(who[kept], return_inverse=True)[1], dtype=np.int64)


def _interval(spread: Floats | None) -> tuple[float, float]:
    """Percentiles; NaN where nothing moved."""
    if spread is None or not len(spread):
        return np.nan, np.nan
    low, high = percentile_interval(spread)
    return (low, high) if high > low else (np.nan, np.nan)
