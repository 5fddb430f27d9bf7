"""What fitting the probabilities anew at the place of use would change: fitted on one part of its patients, told of the other."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.external import RateChange, Recalibrated
from evenray.core.artefacts.scores import Figure, ScoresRecord
from evenray.core.errors import DataError
from evenray.core.types import Dataset, Predictions, Scores
from evenray.data.iterative import divide
from evenray.learning.plan.training import ENOUGH_TO_CHOOSE
from evenray.learning.tasks import task_of
from evenray.learning.tasks.question import Target
from evenray.metrics import calibrate, choose_threshold, difference, score
from evenray.metrics.measuring import Cut, Prevalence, scored_by_task

__all__ = ["recalibrated", "require_halves"]

METHOD = "bias_corrected_temperature"
FIGURES = ("log_loss", "brier", "ece", "calibration_slope", "calibration_in_the_large", "oe_ratio")
PAIRED = ("log_loss", "brier", "ece")
RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
SURE = 1e-6


def recalibrated(found: Predictions, scores: ScoresRecord, cuts: Cut, target: Target, *, seed: int) -> Recalibrated:
    """Fit a calibration on half of the patients of a set, and measure it on the others.

    It goes on top of the probabilities as they are, one slope and one bias a class. `target` has the class shares that they are at,
    where the run was evaluated at those of a place of use: the cases are weighted to them, in the fit and in what is told of it.
    Where None was asked for, the fit also takes up the class shares of the set.

    DataError where either half would have too few cases of a class to fit or to tell by. Of findings those that have too few in
    either are left as they are; DataError where that is so of each.
    """
    halves = _halves(found, seed)
    fit, tell = halves.fit, halves.tell
    after = {"fit": fit, "tell": tell}
    if found.task == "tag":
        for name in halves.enough:
            k, own = found.classes.index(name), fit.finding(name)
            after = {part: _mapped(each, own, k, target[k]) for part, each in after.items()}
    else:
        fitted = calibrate(_logits(fit.probabilities), fit.targets, METHOD, prior=target[0])
        after = {
            part: each.with_probabilities(fitted.apply(_logits(each.probabilities))) for part, each in after.items()
        }
    at = task_of(found.task).scored_at(target)
    before, now = (scored_by_task(each, cuts, prevalence=at, seed=seed) for each in (tell, after["tell"]))
    figures = {
        name: _change(name, tell, after["tell"], before, now, cuts, at, seed)
        for name in FIGURES
        if name in before.estimates
    }
    threshold, rates, rule = None, dict[str, Figure](), scores.threshold_rule
    if rule is not None and found.task == "classify":
        with suppress(DataError):  # too few of the set's patients for what the rule promises
            threshold = choose_threshold(after["fit"], rule, target[0])
    if threshold is not None:
        told = score(after["tell"], threshold, prevalence=target[0], seed=seed)
        rates = {name: Figure.of(told.estimates[name]) for name in RATES}
    return Recalibrated(
        method=METHOD, fitted_cases=fit.table.height, fitted_patients=int(fit.patients.max()) + 1, cases=tell.table.height,
        patients=int(tell.patients.max()) + 1, threshold=threshold, figures=figures, rates=rates,
        refused=rule if rule is not None and found.task == "classify" and threshold is None else None,
    )  # fmt: skip


def require_halves(other: Dataset, *, seed: int) -> None:
    """DataError where `recalibrated` would have one, from the labels of a set alone."""
    untold = np.zeros((len(other), len(other.classes)))
    _halves(task_of(other.facts.task).predictions(other, untold, untold), seed)


@dataclass(frozen=True)
class _Halves:
    """The cases to fit on and those to tell of, and the classes or findings of which both have enough."""

    fit: Predictions
    tell: Predictions
    enough: tuple[str, ...]


def _halves(found: Predictions, seed: int) -> _Halves:
    """About half of the cases of every class, of findings of those with and without each, in whole patients."""
    patients, targets = found.patients, found.targets
    if targets.ndim == 2:
        answers = np.stack([targets == 0, targets == 1], axis=2)
    else:
        answers = (targets[:, None] == np.arange(len(found.classes)))[:, :, None]
    size = np.bincount(patients)
    counts = np.zeros((len(size), answers[0].size), np.int64)
    np.add.at(counts, patients, answers.reshape(len(patients), -1))
    half = divide(counts, size, (0.5, 0.5), np.random.default_rng([seed, 7]))[patients] == 0
    fewest = np.min([answers[own].sum(axis=0) for own in (half, ~half)], axis=(0, 2))
    enough = tuple(name for name, n in zip(found.classes, fewest, strict=True) if n >= ENOUGH_TO_CHOOSE)
    if not enough or (targets.ndim == 1 and len(enough) < len(found.classes)):
        raise DataError(_too_few(found, fewest))
    fit, tell = (replace(found, table=found.table.filter(pl.Series(own))) for own in (half, ~half))
    return _Halves(fit, tell, enough)


def _too_few(found: Predictions, fewest: NDArray[np.int64]) -> str:
    if found.task == "tag":
        k = int(fewest.argmax())
        lack = f"of no finding would both have {ENOUGH_TO_CHOOSE} cases with it and as many without ('{found.classes[k]}' comes"
        lack += f" nearest, with {fewest[k]})"
    else:
        k = int(fewest.argmin())
        lack = (
            f"one of the halves would have {fewest[k]} cases of '{found.classes[k]}', and each needs {ENOUGH_TO_CHOOSE}"
        )
    return (
        f"--recalibrate fits the probabilities on one half of the set's patients and tells of the other, but {lack}. Give a set with"
        " more of them, or leave it out: slope and calibration-in-the-large tell how far the probabilities are off."
    )


def _logits(p_NK: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.clip(p_NK, SURE, 1)))


def _mapped(whole: Predictions, own: Predictions, k: int, shares: NDArray[np.float64] | None) -> Predictions:
    """The same with the probabilities of one finding as fitted on `own`, the two classes of it."""
    fitted = calibrate(_logits(own.probabilities), own.targets, METHOD, prior=shares)
    p = whole.probabilities[:, k]
    after = fitted.apply(_logits(np.column_stack([1 - p, p])))[:, 1]
    return replace(whole, table=whole.table.with_columns(pl.Series(f"p_{k}", after)))


def _change(
    name: str, one: Predictions, other: Predictions, before: Scores, after: Scores, cuts: Cut, at: Prevalence, seed: int
) -> RateChange:
    pair = (Figure.of(before.estimates[name]), Figure.of(after.estimates[name]))
    gap = pair[1].value - pair[0].value
    if name not in PAIRED:  # a distance from what is right, not a loss: the two stand beside each other
        return RateChange(before=pair[0], after=pair[1], value=gap, low=np.nan, high=np.nan)
    paired = difference(other, one, name, thresholds=(cuts, cuts), prevalence=at, seed=seed)
    return RateChange(before=pair[0], after=pair[1], value=paired.value, low=paired.low, high=paired.high)
