"""Why figures of another set are worse: how much of the loss is of the class shares, of calibration and of ranking.

The log loss of the other set less that of the internal test part is taken apart without a rest. Weighting the cases of the
other set to the class shares of the internal part takes off what these shares do; of what remains, calibration has what a
recalibration of either set (one slope, one intercept a class) would take off it, and ranking the rest, which no recalibration
reaches (DeGroot & Fienberg 1983). Where shares alone differ, weighting makes the two sets alike in everything.

What is shown beyond chance is tested apart from the sizes: each of the three by its own figures, corrected by Holm.
docs/decisions/0030-what-explains-a-loss-elsewhere.md has the rule, and how often it was right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from evenray.core.types import Estimate, Predictions

from ._prior import weighted_to
from .calibrators import calibrate
from .intervals import multiplicities, percentile_interval
from .paired import Difference, holm
from .recalibration import calibration_by_class, recalibration
from .unpaired import unpaired

__all__ = ["LEVEL", "PARTS", "Part", "Transport", "causes", "restored", "transport"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEVEL = 0.05
HALF = 0.5
SURE = 1e-6
PARTS = ("prevalence", "calibration", "ranking")


@dataclass(frozen=True)
class Part:
    """What one of PARTS adds to the log loss, with its 95 % interval; `p` (Holm's) tells whether it differs at all."""

    value: float
    low: float
    high: float
    p: float

    @property
    def shown(self) -> bool:
        return self.p < LEVEL


@dataclass(frozen=True)
class Transport:
    """`total` is the log loss of the other set less that of the internal one; `parts` sum to it. `ranking` is the difference of
    the AUROCs."""

    total: Difference
    parts: dict[str, Part]
    ranking: Difference

    @property
    def lost(self) -> tuple[str, ...]:
        """Those of PARTS that are shown to differ, and for the worse where that can be said, the largest first."""
        worse = {
            "prevalence": True, "calibration": self.parts["calibration"].value > 0, "ranking": self.ranking.value < 0,
        }  # fmt: skip
        found = [name for name in PARTS if self.parts[name].shown and worse[name]]
        return tuple(sorted(found, key=lambda name: -self.parts[name].value))


def causes(found: Transport, gain: Difference | None) -> tuple[str, ...]:
    """What explains the loss, the most important first; none where no loss is shown.

    `gain` is the log loss that putting the light back takes off, None where the light did not change. It is the light where that
    is more than nothing and at least HALF of what calibration and ranking lost together; these are then how it shows.
    """
    lost = found.lost
    inner = tuple(name for name in lost if name != "prevalence")
    loss = sum(found.parts[name].value for name in ("calibration", "ranking"))
    if inner and gain is not None and gain.low > 0 and gain.value >= HALF * loss:
        return ("light", *(name for name in lost if name == "prevalence"))
    return lost


@dataclass(frozen=True)
class _Side:
    """One question on one set: rows of the set, and the losses of these as they are and after recalibration."""

    rows: Ints
    targets: Ints
    plain: Floats
    recalibrated: Floats


def transport(
    external: Predictions, internal: Predictions, ranking: Difference, *, seed: int = 0, resamples: int = 1000
) -> Transport | None:
    """Take the difference between two sets without common patients apart; of findings, the mean over those that both have.

    `ranking` is the difference of their AUROCs, of the same findings or classes (`alike`). None where the sets have not two classes
    (or a finding with both answers) in common: then nothing of this can be told.
    """
    questions = _questions(external, internal)
    if not questions:
        return None
    sides, shares = [], []
    for other, own in questions:
        prior = np.bincount(own.targets, minlength=len(own.classes)) / len(own.targets)
        shares.append(prior)
        sides.append((_side(other, external, prior), _side(own, internal, None)))
    whole = np.ones((1, external.table.height)), np.ones((1, internal.table.height))
    at = _added(sides, shares, *whole)
    draws = [
        np.concatenate(list(multiplicities(each.patients, resamples, seed + number)))
        for number, each in enumerate((external, internal))
    ]
    spread = _added(sides, shares, *draws)
    p = holm(
        [_prevalence_p(questions), _calibration_p(questions, shares), ranking.p if not np.isnan(ranking.p) else 1.0]
    )
    parts = {
        name: Part(float(at[name][0]), *percentile_interval(spread[name]), float(own))
        for name, own in zip(PARTS, p, strict=True)
    }
    total = sum(spread.values())
    assert isinstance(total, np.ndarray)
    return Transport(
        Difference(float(sum(values[0] for values in at.values())), *percentile_interval(total), float("nan")),
        parts,
        ranking,
    )


def _questions(external: Predictions, internal: Predictions) -> list[tuple[Predictions, Predictions]]:
    """Both sets, of the classes that both have: one pair, of findings one each."""
    if external.task == "tag":
        pairs = [(external.finding(name), internal.finding(name)) for name in external.classes]
        return [pair for pair in pairs if all(len(np.unique(each.targets)) == 2 for each in pair)]
    common = np.intersect1d(external.targets, internal.targets)
    if len(common) < 2:
        return []
    return [(_among(external, common), _among(internal, common))]


def _among(predictions: Predictions, classes: Ints) -> Predictions:
    """The cases of some classes, with their probabilities given that it is one of them."""
    if len(classes) == len(predictions.classes):
        return predictions
    kept = np.isin(predictions.targets, classes)
    p_NK = predictions.probabilities[kept][:, classes]
    p_NK = p_NK / p_NK.sum(axis=1, keepdims=True).clip(SURE)
    names = tuple(predictions.classes[k] for k in classes.tolist())
    table = predictions.table.filter(pl.Series(kept)).select(
        *(name for name in ("case", "patient", "label") if name in predictions.table.columns),
        pl.Series("target", np.searchsorted(classes, predictions.targets[kept])),
        *(pl.Series(f"p_{k}", column) for k, column in enumerate(p_NK.T)),
    )
    positive = predictions.positive if predictions.positive in names else names[-1]
    return replace(predictions, table=table, classes=names, positive=positive)


def log_losses(predictions: Predictions) -> Floats:
    """What each case adds to the log loss, float64 (cases,), of probabilities no nearer to 0 and 1 than 1e-6."""
    p_N = predictions.probabilities[np.arange(predictions.table.height), predictions.targets]
    return np.asarray(-np.log(np.clip(p_N, SURE, 1)))


def _side(own: Predictions, whole: Predictions, prior: Floats | None) -> _Side:
    log_p_NK = np.log(np.clip(own.probabilities, SURE, 1))
    fitted = calibrate(log_p_NK, own.targets, "bias_corrected_temperature", prior)
    q_N = fitted.apply(log_p_NK)[np.arange(len(own.targets)), own.targets]
    if own.table.height == whole.table.height:
        rows = np.arange(whole.table.height)
    else:
        place = {case: row for row, case in enumerate(whole.table["case"].to_list())}
        rows = np.array([place[case] for case in own.table["case"].to_list()])
    return _Side(rows, own.targets, log_losses(own), -np.log(np.clip(q_N, SURE, 1)))


def _added(
    sides: Sequence[tuple[_Side, _Side]],
    shares: Sequence[Floats],
    W_other: NDArray[np.floating],
    W_own: NDArray[np.floating],
) -> dict[str, Floats]:
    """What each of PARTS adds, float64 (R,), under weights of the cases (R, N); the mean over the questions."""
    found = {name: np.zeros(len(W_other)) for name in PARTS}
    for (other, own), prior in zip(sides, shares, strict=True):
        w_other, w_own = (W[:, side.rows].astype(np.float64) for W, side in ((W_other, other), (W_own, own)))
        level = weighted_to(prior, w_other, other.targets)
        plain, at_shares = _mean(w_other, other.plain), _mean(level, other.plain)
        best = _mean(level, other.recalibrated)
        own_plain, own_best = _mean(w_own, own.plain), _mean(w_own, own.recalibrated)
        found["prevalence"] += plain - at_shares
        found["calibration"] += (at_shares - best) - (own_plain - own_best)
        found["ranking"] += best - own_best
    return {name: values / len(sides) for name, values in found.items()}


def _mean(W: Floats, values: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(W @ values / W.sum(axis=1))


def _prevalence_p(questions: Sequence[tuple[Predictions, Predictions]]) -> float:
    """Whether some class has another share, with the variance between patients; corrected for how many are asked of."""
    found = []
    for other, own in questions:
        K = len(own.classes)
        for k in range(1 if K == 2 else 0, K):
            (a, error_a), (b, error_b) = (_share(each, k) for each in (other, own))
            error = float(np.hypot(error_a, error_b))
            found.append(1.0 if error == 0 else float(2 * scipy.special.ndtr(-abs(a - b) / error)))
    return min(1.0, min(found) * len(found))


def _share(predictions: Predictions, k: int) -> tuple[float, float]:
    """The share of a class and its standard error, patients as clusters."""
    came, patients = (predictions.targets == k).astype(np.float64), predictions.patients
    sums = np.bincount(patients, came - came.mean())
    P = len(sums)
    return float(came.mean()), float(np.sqrt((sums**2).sum() * P / max(P - 1, 1)) / len(came))


def _calibration_p(questions: Sequence[tuple[Predictions, Predictions]], shares: Sequence[Floats]) -> float:
    """Whether slope or calibration-in-the-large differ once the class shares are those of the internal set."""
    found = []
    for (other, own), prior in zip(questions, shares, strict=True):
        pairs = [(recalibration(other, prior), recalibration(own))]
        if len(own.classes) > 2:
            each, here = calibration_by_class(other, prior), calibration_by_class(own)
            pairs += [({"large": each[name]["calibration_in_the_large"]}, {"large": here[name]["calibration_in_the_large"]})
                      for name in own.classes]  # fmt: skip
        for there, inside in pairs:
            for name in there:
                if name == "oe_ratio":  # says the same as calibration-in-the-large
                    continue
                found.append(unpaired(Estimate(*there[name], np.nan), Estimate(*inside[name], np.nan)).p)
    known = [p for p in found if not np.isnan(p)]
    return min(1.0, min(known) * len(known)) if known else 1.0


def restored(
    before: Predictions, after: Predictions, internal: Predictions, *, seed: int = 0, resamples: int = 1000
) -> Difference | None:
    """How much log loss a change of the images takes off the same cases, at the class shares of the internal part; paired.

    None where the sets have not two classes in common.
    """
    befores, afters = _questions(before, internal), _questions(after, internal)
    if not befores:
        return None
    gains, weights = [], np.concatenate(list(multiplicities(before.patients, resamples, seed)))
    weights = np.vstack([np.ones((1, before.table.height)), weights])
    for (one, own), (two, _) in zip(befores, afters, strict=True):
        prior = np.bincount(own.targets, minlength=len(own.classes)) / len(own.targets)
        side = _side(one, before, prior)
        level = weighted_to(prior, weights[:, side.rows].astype(np.float64), one.targets)
        gains.append(_mean(level, log_losses(one) - log_losses(two)))
    whole = np.mean(gains, axis=0)
    return Difference(float(whole[0]), *percentile_interval(whole[1:]), float("nan"))
