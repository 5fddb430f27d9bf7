"""How far probabilities are from meaning what they say: calibration slope, calibration-in-the-large, observed : expected."""

from __future__ import annotations

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from evenray.core.types import Predictions

from ._area import Z
from ._curves import against_rest, one_class
from ._prior import weighted_to

__all__ = ["RECALIBRATION", "calibration_by_class", "recalibration"]

Floats = NDArray[np.float64]
Interval = tuple[float, float, float]  # value, low, high

RECALIBRATION = ("calibration_slope", "calibration_in_the_large", "oe_ratio")
UNKNOWN = (np.nan, np.nan, np.nan)
NEAREST = 1e-12  # probabilities nearer to 0 or 1 are clipped
APART = 1e-4  # a mean log loss below it comes of cases told apart without an error, whose slope has no end


def recalibration(predictions: Predictions, prior: Floats | None = None) -> dict[str, Interval]:
    """{name: (value, low, high)} of RECALIBRATION, with 95 % intervals over patients; NaN where undefined.

    Of two classes (Van Calster et al. 2016, 2019): `calibration_slope` is that of a logistic regression of the outcome on
    the log-odds, 1 for good forecasts and below 1 for overconfident ones; `calibration_in_the_large` the intercept of the same
    regression with the slope held at 1, 0 for good forecasts and below 0 where they are too high; `oe_ratio` the observed
    cases of the positive class over the expected ones, the sum of their probabilities. Of more classes
    `calibration_slope` alone, the common slope of a multinomial regression on the log probabilities; `calibration_by_class`
    has all three of each class. `prior` (K,), if given, is the class prior at which the probabilities hold: the cases are
    weighted to it. Intervals are normal ones with the variance between patients (Liang & Zeger 1986), of the ratio on its log.
    """
    found = {"calibration_slope": _slope(predictions, prior)}
    if len(predictions.classes) == 2:
        found |= _in_the_large(predictions, prior)
    return found


def calibration_by_class(predictions: Predictions, prior: Floats | None = None) -> dict[str, dict[str, Interval]]:
    """`recalibration` of every class against the rest, as two classes."""
    found = {}
    for k, name in enumerate(predictions.classes):
        shares = None if prior is None else np.array([1 - prior[k], prior[k]])
        found[name] = recalibration(against_rest(predictions, k), shares)
    return found


def _weights(predictions: Predictions, prior: Floats | None) -> Floats | None:
    """What each case counts; None where a class that has a share at `prior` has no case."""
    one: Floats = np.ones((1, predictions.table.height))
    weights = one[0] if prior is None else weighted_to(prior, one, predictions.targets)[0]
    return None if np.isnan(weights).any() else weights


def _between(influence: Floats, patients: NDArray[np.int64], targets: NDArray[np.int64] | None) -> Floats:
    """The variance of the sum of what each case adds, (N,) or (N, parameters), between patients.

    With `targets`, the shares of the classes are given and vary nothing: what is left is within each class.
    """
    columns = influence.reshape(len(influence), -1).copy()
    for k in np.unique(targets) if targets is not None else ():
        columns[targets == k] -= columns[targets == k].mean(axis=0)
    P = int(patients.max()) + 1
    sums = np.stack([np.bincount(patients, column, P) for column in columns.T], axis=1)
    return np.asarray(sums.T @ sums * P / max(P - 1, 1))


def _in_the_large(predictions: Predictions, prior: Floats | None) -> dict[str, Interval]:
    """Calibration-in-the-large and observed : expected of the positive class of two."""
    said, came = one_class(predictions, None)
    weights, patients = _weights(predictions, prior), predictions.patients
    observed = np.nan if weights is None else float(weights @ came)
    if weights is None or not 0 < observed < weights.sum():
        return dict.fromkeys(RECALIBRATION[1:], UNKNOWN)
    given = None if prior is None else predictions.targets
    log_odds = scipy.special.logit(np.clip(said, NEAREST, 1 - NEAREST))

    def excess(shift: float) -> float:
        return observed - float(weights @ scipy.special.expit(log_odds + shift))

    shift = float(scipy.optimize.brentq(excess, -60, 60))
    p = scipy.special.expit(log_odds + shift)
    error = float(np.sqrt(_between(weights * (came - p), patients, given)[0, 0]) / (weights @ (p * (1 - p))))
    ratio = observed / float(weights @ said)
    spread = float(np.sqrt(_between(weights * (came - said * ratio), patients, given)[0, 0])) / observed
    return {
        "calibration_in_the_large": (shift, shift - Z * error, shift + Z * error),
        "oe_ratio": (ratio, ratio * float(np.exp(-Z * spread)), ratio * float(np.exp(Z * spread))),
    }


def _slope(predictions: Predictions, prior: Floats | None) -> Interval:
    """Newton's method for z_k = intercept_k + slope x log p_k over the classes that occur, and the sandwich variance."""
    present = np.unique(predictions.targets)
    weights, patients = _weights(predictions, prior), predictions.patients
    if len(present) < 2 or weights is None:
        return UNKNOWN
    log_p_NK = np.log(np.clip(predictions.probabilities[:, present], NEAREST, 1))
    came_NK = predictions.targets[:, None] == present
    theta = np.append(np.zeros(len(present) - 1), 1.0)  # the first class has intercept 0
    former, loss = theta, np.inf
    for _ in range(100):
        z_NK = log_p_NK * theta[-1] + np.append(0.0, theta[:-1])
        log_q_NK = scipy.special.log_softmax(z_NK, axis=1)
        now = -float(weights @ log_q_NK[came_NK])
        if now > loss + 1e-12 * abs(loss):
            theta = (theta + former) / 2
            continue
        if now < APART * weights.sum():
            return UNKNOWN
        gradient_NT, hessian = _derivatives(log_p_NK, np.exp(log_q_NK), came_NK, weights)
        if not np.isfinite(hessian).all() or np.linalg.cond(hessian) > 1e14:
            return UNKNOWN
        step = np.linalg.solve(hessian, gradient_NT.sum(axis=0))
        if np.abs(step).max() < 1e-8:
            break
        former, loss, theta = theta, now, theta + step
    inverse = np.linalg.inv(hessian)
    variance = inverse @ _between(gradient_NT, patients, None if prior is None else predictions.targets) @ inverse
    slope, half = float(theta[-1]), Z * float(np.sqrt(variance[-1, -1]))
    return slope, slope - half, slope + half


def _derivatives(log_p_NK: Floats, q_NK: Floats, came_NK: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Each case's part in the gradient of the log likelihood, (N, parameters), and minus its second derivatives."""
    rest_NK = weights[:, None] * (came_NK - q_NK)
    gradient_NT = np.column_stack([rest_NK[:, 1:], (rest_NK * log_p_NK).sum(axis=1)])
    mean_N = (q_NK * log_p_NK).sum(axis=1)
    weighted_NK = weights[:, None] * q_NK
    across = (weighted_NK * (log_p_NK - mean_N[:, None])).sum(axis=0)[1:]
    among = np.diag(weighted_NK.sum(axis=0)[1:]) - weighted_NK[:, 1:].T @ q_NK[:, 1:]
    own = float((weighted_NK * (log_p_NK - mean_N[:, None]) ** 2).sum())
    return gradient_NT, np.block([[among, across[:, None]], [across[None], np.array([[own]])]])
