"""Calibration: a map from logits to probabilities, fitted on the validation part and saved with the model as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import ArrayLike, NDArray

from evenray.core.errors import DataError, UsageError
from evenray.core.registry import Registry

__all__ = ["Calibration", "calibrate", "calibrations"]

Floats = NDArray[np.float64]

calibrations = Registry(
    "calibration",
    {
        "none": "evenray.metrics.calibrators:none",
        "temperature": "evenray.metrics.calibrators:temperature",
        "bias_corrected_temperature": "evenray.metrics.calibrators:bias_corrected_temperature",
        "platt": "evenray.metrics.calibrators:platt",
        "isotonic": "evenray.metrics.calibrators:isotonic",
        "beta": "evenray.metrics.calibrators:beta",
    },
    context=3,
)


@dataclass(frozen=True)
class Calibration:
    """A fitted map; `parameters` is JSON-able, so `Calibration(**json)` makes it again from what `as_json` gave.

    >>> Calibration("temperature", {"temperature": 2.0}).apply([[0.0, 2.0]]).round(3)
    array([[0.269, 0.731]])
    """

    method: str
    parameters: Mapping[str, Any]

    def apply(self, logits_NK: ArrayLike) -> Floats:
        """Probabilities float64 (N, K), summing to one."""
        logits = np.asarray(logits_NK, dtype=np.float64)
        if "columns" not in self.parameters:
            scaled = logits / self.parameters.get("temperature", 1.0) + np.asarray(self.parameters.get("bias", 0.0))
            return np.asarray(np.exp(scipy.special.log_softmax(scaled, axis=1)))
        columns = zip(self.parameters["columns"], _log_odds(logits).T, strict=False)
        said = np.stack([_map(self.method, p, x) for p, x in columns], 1)
        if logits.shape[1] == 2:
            return np.column_stack([1 - said[:, 0], said[:, 0]])
        return np.asarray(said / said.sum(axis=1, keepdims=True))

    def as_json(self) -> dict[str, Any]:
        return {"method": self.method, "parameters": dict(self.parameters)}


def calibrate(
    logits_NK: ArrayLike,
    targets_N: ArrayLike,
    method: str = "bias_corrected_temperature",
    prior: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Calibration:
    """Fit one of `calibrations` to the logits (N, K; after the prior correction) and classes (N,) of the validation part.

    `prior` (K,) holds the class shares that the logits are posteriors at, those of the training part: the cases are
    weighted to it, so that a validation part of other shares moves no probability (None: they count alike).
    `weights` (N,) are what each row counts beside that, as where it stands for many pixels.

    `bias_corrected_temperature` divides the logits by one number and adds one for each class (Alexandari, Kundaje &
    Shrikumar 2020): the ranking of two classes stays, each class gets the share that it has, and a few cases suffice.
    `temperature` divides only (Guo et al. 2017), the log-odds of the prior too, so that rare classes may come out too likely.
    `platt` is a logistic fit, `beta` one in log p and log(1 - p) (Kull et al. 2017), `isotonic` any rising step function
    (wants about 1,000 cases). With more than two classes these three fit each class against the rest and share out the sum.
    Where a validation part is told apart without an error, its outcomes would be fitted best by certainty: `platt` and
    `beta` are fitted to Platt's (1999) smoothed targets, and a temperature far from 1 has to be worth it. Raises DataError
    where a class has no case.
    """
    logits, targets = np.asarray(logits_NK, dtype=np.float64), np.asarray(targets_N, dtype=np.int64)
    if logits.ndim != 2 or targets.shape != logits.shape[:1]:
        raise UsageError(f"logits are {logits.shape} and targets {targets.shape}; expected (N, K) and (N,).")
    absent = sorted(set(range(logits.shape[1])) - set(targets.tolist()))
    if absent and method != "none":
        raise DataError(f"The validation part has no case of class number {absent[0]}, so it cannot calibrate for it.")
    fitted: Calibration = calibrations.bind(method)(logits, targets, _weights(targets, logits.shape[1], prior, weights))
    return fitted


def _weights(targets_N: NDArray[np.int64], K: int, prior: ArrayLike | None, weights: ArrayLike | None) -> Floats:
    """What each case counts, 1 on average."""
    own = np.ones(len(targets_N)) if weights is None else np.asarray(weights, dtype=np.float64)
    own = own * (len(own) / own.sum())
    if prior is None:
        return np.asarray(own)
    wanted, counts = np.asarray(prior, dtype=np.float64), np.bincount(targets_N, own, minlength=K)
    shares = wanted / wanted.sum() * len(targets_N) / np.where(counts > 0, counts, 1)
    return np.asarray(own * shares[targets_N])


def none(logits_NK: Floats, targets_N: NDArray[np.int64], weights_N: Floats) -> Calibration:
    """The softmax as it is."""
    return Calibration("none", {})


def temperature(logits_NK: Floats, targets_N: NDArray[np.int64], weights_N: Floats) -> Calibration:
    """One divisor of all logits, between 1/100 and 100, at which the log loss is least (Guo et al. 2017).

    To the loss of all cases is added half the square of log T, as if it were known beforehand to be about 0 +- 1: for many
    cases that is nothing, and where they are told apart without an error it keeps T from falling to its bound.
    """
    rows = np.arange(len(targets_N))

    def loss(log_t: float) -> float:
        log_p_NK = scipy.special.log_softmax(logits_NK / np.exp(log_t), axis=1)
        return log_t**2 / 2 - float(weights_N @ log_p_NK[rows, targets_N])

    found = scipy.optimize.minimize_scalar(loss, bounds=(-np.log(100), np.log(100)), method="bounded")
    return Calibration("temperature", {"temperature": float(np.exp(found.x))})


def bias_corrected_temperature(logits_NK: Floats, targets_N: NDArray[np.int64], weights_N: Floats) -> Calibration:
    """logits / T + a bias for each class, with the same pull of T towards 1 (Alexandari, Kundaje & Shrikumar 2020).

    The biases sum to zero. At the fit the expected number of every class is the observed one.
    """
    came_NK = targets_N[:, None] == np.arange(logits_NK.shape[1])
    weight_N = weights_N / len(targets_N)

    def loss(theta: Floats) -> tuple[float, Floats]:
        log_t, bias = theta[0], theta[1:]
        scaled_NK = logits_NK * np.exp(-log_t)
        log_p_NK = scipy.special.log_softmax(scaled_NK + bias, axis=1)
        error_NK = weight_N[:, None] * (np.exp(log_p_NK) - came_NK)
        slope = log_t / len(targets_N) - float((error_NK * scaled_NK).sum())
        value = log_t**2 / 2 / len(targets_N) - float(weight_N @ log_p_NK[came_NK])
        return value, np.append(slope, error_NK.sum(axis=0))

    found = scipy.optimize.minimize(
        loss, np.zeros(1 + logits_NK.shape[1]), jac=True, method="L-BFGS-B", options={"gtol": 1e-9, "ftol": 1e-15},
        bounds=[(-np.log(100), np.log(100)), *[(None, None)] * logits_NK.shape[1]],
    )  # fmt: skip
    bias = found.x[1:] - found.x[1:].mean()
    parameters = {"temperature": float(np.exp(found.x[0])), "bias": bias.tolist()}
    return Calibration("bias_corrected_temperature", parameters)


def platt(logits_NK: Floats, targets_N: NDArray[np.int64], weights_N: Floats) -> Calibration:
    """p = sigmoid(slope x log-odds + intercept), fitted to targets drawn in by one case of each kind (Platt 1999)."""
    return _by_class("platt", _platt, logits_NK, targets_N, weights_N)


def beta(logits_NK: Floats, targets_N: NDArray[np.int64], weights_N: Floats) -> Calibration:
    """p = sigmoid(a log p - b log(1 - p) + c) with a, b >= 0 (Kull, Silva Filho & Flach 2017), to Platt's targets."""
    return _by_class("beta", _beta, logits_NK, targets_N, weights_N)


def isotonic(logits_NK: Floats, targets_N: NDArray[np.int64], weights_N: Floats) -> Calibration:
    """The rising function nearest to the outcomes, linear between its steps, never nearer to 0 or 1 than 1 / (N + 2)."""
    return _by_class("isotonic", _isotonic, logits_NK, targets_N, weights_N)


def _by_class(
    method: str, fit: Callable[[Floats, NDArray[np.bool_], Floats], Mapping[str, Any]], logits_NK: Floats,
    targets_N: NDArray[np.int64], weights_N: Floats,
) -> Calibration:  # fmt: skip
    """A calibration whose `columns` are fitted to the second of two classes, or to each of more against the rest."""
    classes = [1] if logits_NK.shape[1] == 2 else range(logits_NK.shape[1])
    columns = [fit(x, targets_N == k, weights_N) for k, x in zip(classes, _log_odds(logits_NK).T, strict=True)]
    return Calibration(method, {"columns": columns})


def _log_odds(logits_NK: Floats) -> Floats:
    """log p / (1 - p) of the second of two classes, (N, 1), or of each of more, (N, K)."""
    if logits_NK.shape[1] == 2:
        return np.asarray(logits_NK[:, 1:] - logits_NK[:, :1])
    rest = [np.logaddexp.reduce(np.delete(logits_NK, k, axis=1), axis=1) for k in range(logits_NK.shape[1])]
    return np.asarray(logits_NK - np.stack(rest, axis=1))


def _map(method: str, p: Mapping[str, Any], log_odds: Floats) -> Floats:
    if method == "platt":
        return np.asarray(scipy.special.expit(p["slope"] * log_odds + p["intercept"]))
    if method == "beta":
        log_p, log_rest = -np.logaddexp(0, -log_odds), -np.logaddexp(0, log_odds)
        return np.asarray(scipy.special.expit(p["a"] * log_p - p["b"] * log_rest + p["c"]))
    return np.asarray(np.interp(log_odds, p["log_odds"], p["probability"]))


def _platt(log_odds: Floats, came: NDArray[np.bool_], weights: Floats) -> dict[str, float]:
    slope, intercept = fitted_line(log_odds, came * weights, ~came * weights)
    return {"slope": slope, "intercept": intercept}


def fitted_line(log_odds: Floats, positive: NDArray[Any], negative: NDArray[Any]) -> tuple[float, float]:
    """Platt's slope and intercept for the numbers of `positive` and `negative` cases at each of these log-odds."""
    P, N = float(positive.sum()), float(negative.sum())
    x, count = np.tile(log_odds, 2), np.append(positive, negative).astype(np.float64)
    aim = np.repeat([(P + 1) / (P + 2), 1 / (N + 2)], len(log_odds))
    slope, intercept = _logistic(np.column_stack([x, np.ones(len(x))]), aim, [1.0, 0.0], [None, None], count)
    return slope, intercept


def _beta(log_odds: Floats, came: NDArray[np.bool_], weights: Floats) -> dict[str, float]:
    features = np.column_stack([-np.logaddexp(0, -log_odds), np.logaddexp(0, log_odds), np.ones(len(came))])
    positive, negative = float(weights @ came), float(weights @ ~came)
    aim = np.where(came, (positive + 1) / (positive + 2), 1 / (negative + 2))
    a, b, c = _logistic(features, aim, [1.0, 1.0, 0.0], [0.0, 0.0, None], weights)
    return {"a": a, "b": b, "c": c}


def _logistic(
    features: Floats, aim: Floats, start: list[float], least: list[float | None], count: Floats | float = 1.0
) -> list[float]:
    """The coefficients of least log loss; each row stands for `count` cases."""
    weight = np.broadcast_to(count, aim.shape) / np.broadcast_to(count, aim.shape).sum()

    def log_loss(theta: Floats) -> tuple[float, Floats]:
        eta = features @ theta
        loss = np.logaddexp(0, eta) - aim * eta
        return float(weight @ loss), np.asarray(features.T @ (weight * (scipy.special.expit(eta) - aim)))

    bounds = [(low, None) for low in least]
    found = scipy.optimize.minimize(
        log_loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"gtol": 1e-9, "ftol": 1e-15}
    )
    return [float(value) for value in found.x]


def _isotonic(log_odds: Floats, came: NDArray[np.bool_], weights: Floats) -> dict[str, list[float]]:
    at, place = np.unique(log_odds, return_inverse=True)
    weight = np.bincount(place, weights)
    level = scipy.optimize.isotonic_regression(np.bincount(place, came * weights) / weight, weights=weight).x
    level = np.clip(level, 1 / (len(came) + 2), 1 - 1 / (len(came) + 2))
    kept = np.ones(len(at), dtype=bool)
    kept[1:-1] = (level[1:-1] != level[:-2]) | (level[1:-1] != level[2:])
    return {"log_odds": at[kept].tolist(), "probability": level[kept].tolist()}
