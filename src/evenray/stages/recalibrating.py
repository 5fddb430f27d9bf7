"""What fitting the probabilities anew at the place of use would change: fitted on one part of its patients, told of the other."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.external import RateChange, Recalibrated
from evenray.core.artefacts.scores import Figure, ScoresRecord
from evenray.core.errors import DataError
from evenray.core.types import Predictions, Scores
from evenray.learning.plan.training import ENOUGH_TO_CHOOSE
from evenray.metrics import calibrate, choose_threshold, difference, score, score_findings
from evenray.metrics.measuring import Cut

__all__ = ["recalibrated"]

METHOD = "bias_corrected_temperature"
FIGURES = ("log_loss", "brier", "ece", "calibration_slope", "calibration_in_the_large", "oe_ratio")
PAIRED = ("log_loss", "brier", "ece")
RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
SURE = 1e-6


def recalibrated(found: Predictions, scores: ScoresRecord, cuts: Cut, *, seed: int) -> Recalibrated:
    """Fit a calibration on half of the patients of a set, and measure it on the others.

    It goes on top of the probabilities as they are, one slope and one bias a class, so that it also takes up the class shares of
    the set. DataError where either half would have too few cases of a class to fit or to tell by.
    """
    half = _half(found, seed)
    fit, tell = (replace(found, table=found.table.filter(pl.Series(own))) for own in (half, ~half))
    after = {"fit": fit, "tell": tell}
    if found.task == "tag":
        for name in found.classes:
            own = fit.finding(name)
            if np.bincount(own.targets, minlength=2).min() >= ENOUGH_TO_CHOOSE:
                after = {part: _mapped(each, own, found.classes.index(name)) for part, each in after.items()}
    else:
        fewest = int(np.bincount(fit.targets, minlength=len(found.classes)).min())
        if fewest < ENOUGH_TO_CHOOSE:
            raise DataError(
                f"--recalibrate would be fitted on {fewest} cases of the rarest class, half of those of the set; it needs"
                f" {ENOUGH_TO_CHOOSE}. Leave it out: slope and calibration-in-the-large tell how far the probabilities are off."
            )
        fitted = calibrate(_logits(fit.probabilities), fit.targets, METHOD)
        after = {
            part: each.with_probabilities(fitted.apply(_logits(each.probabilities))) for part, each in after.items()
        }
    before, now = (_scores(each, cuts, seed) for each in (tell, after["tell"]))
    figures = {
        name: _change(name, tell, after["tell"], before, now, cuts, seed)
        for name in FIGURES
        if name in before.estimates
    }
    threshold, rates, rule = None, dict[str, Figure](), scores.threshold_rule
    if rule is not None and found.task == "classify":
        with suppress(DataError):  # too few of the set's patients for what the rule promises
            threshold = choose_threshold(after["fit"], rule)
    if threshold is not None:
        told = score(after["tell"], threshold, seed=seed)
        rates = {name: Figure.of(told.estimates[name]) for name in RATES}
    return Recalibrated(
        method=METHOD, fitted_cases=fit.table.height, fitted_patients=int(fit.patients.max()) + 1, cases=tell.table.height,
        patients=int(tell.patients.max()) + 1, threshold=threshold, figures=figures, rates=rates,
        refused=rule if rule is not None and found.task == "classify" and threshold is None else None,
    )  # fmt: skip


def _half(found: Predictions, seed: int) -> NDArray[np.bool_]:
    """Which cases are fitted on: half of the patients of every class, whole patients."""
    patients, targets = found.patients, found.targets
    rarest = (targets == 1).any(axis=1).astype(np.int64) if targets.ndim == 2 else targets
    stratum = np.zeros(int(patients.max()) + 1, np.int64)
    np.maximum.at(stratum, patients, rarest)
    order = np.random.default_rng([seed, 7]).permutation(len(stratum))
    chosen = np.zeros(len(stratum), bool)
    for k in np.unique(stratum):
        own = order[stratum[order] == k]
        chosen[own[::2]] = True
    return chosen[patients]


def _logits(p_NK: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.clip(p_NK, SURE, 1)))


def _mapped(whole: Predictions, own: Predictions, k: int) -> Predictions:
    """The same with the probabilities of one finding as fitted on `own`, the two classes of it."""
    fitted = calibrate(_logits(own.probabilities), own.targets, METHOD)
    p = whole.probabilities[:, k]
    after = fitted.apply(_logits(np.column_stack([1 - p, p])))[:, 1]
    return replace(whole, table=whole.table.with_columns(pl.Series(f"p_{k}", after)))


def _scores(predictions: Predictions, cuts: Cut, seed: int) -> Scores:
    if predictions.task == "tag":
        return score_findings(predictions, cuts, seed=seed)  # type: ignore[arg-type]
    return score(predictions, cuts, seed=seed)  # type: ignore[arg-type]


def _change(
    name: str, one: Predictions, other: Predictions, before: Scores, after: Scores, cuts: Cut, seed: int
) -> RateChange:
    pair = (Figure.of(before.estimates[name]), Figure.of(after.estimates[name]))
    gap = pair[1].value - pair[0].value
    if name not in PAIRED:  # a distance from what is right, not a loss: the two stand beside each other
        return RateChange(before=pair[0], after=pair[1], value=gap, low=np.nan, high=np.nan)
    paired = difference(other, one, name, thresholds=(cuts, cuts), seed=seed)
    return RateChange(before=pair[0], after=pair[1], value=paired.value, low=paired.low, high=paired.high)
