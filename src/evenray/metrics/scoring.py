"""Scores of a part: every metric with its interval over patients, and beside it the majority-class baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Estimate, Predictions, Scores

from ._bounds import bounds_of, sensitivity_bounds
from ._curves import against_rest, one_class
from ._meter import METRICS, Meter, decide
from ._prior import Prior, class_prior
from .intervals import replicates
from .ranking import Ranking
from .recalibration import recalibration

__all__ = ["Measure", "confusion", "measured", "per_class", "score", "sensitivity_at_specificity"]

OVER_ALL = ("accuracy", "brier", "ece", "log_loss")  # means over all cases, whatever their class


@dataclass(frozen=True)
class Measure:
    """A metric of one set of predictions: its value, its 95 % interval, its replicates, float64 (resamples,), and the degrees of
    freedom of their deviation: one less than there are patients who tell it."""

    value: float
    low: float
    high: float
    replicates: NDArray[np.float64]
    freedom: float


def score(
    predictions: Predictions,
    threshold: float | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    prior: Prior | None = None,
    prevalence: Prior | None = None,
) -> Scores:
    """Every metric with its 95 % percentile interval from a bootstrap over patients, and its baseline.

    With two classes a case is called positive where its probability reaches `threshold` (None: 0.5); with more, the
    class of the largest probability is called and the rates are means over the classes (macro, one against the rest).
    Predictions of a cross-validation carry a threshold and a fold for each case: that threshold is taken where none is given, and
    auroc and auprc are means over the folds where these are large enough (`metrics.folds`).
    auroc and auprc (average precision) use no threshold; brier, log_loss and ece (15 bins) score the probabilities, and
    the figures of `recalibration` tell in which way they err.

    The baseline forecasts the class prior of the training part (`prior`: counts, shares or the prevalence of the
    positive class; by default the shares in `predictions`) for everybody, and so always calls the majority. Its
    accuracy is the majority's share, its sensitivity and f1 0, its ppv NaN, for it calls nobody; where the majority is
    positive, with a share of p, its sensitivity is 1, its ppv p, its f1 2p / (1 + p) and its npv NaN. mcc is 0, auroc 0.5,
    auprc the prevalence, brier and log_loss are those of the constant forecast, ece is the distance of that forecast
    from the prevalence. With more classes the rates, f1, auroc and auprc are means over the classes here too.

    `prevalence` (a share of the positive class, or one for each class) scores at that prevalence in place of that of
    the cases, which are weighted to it: so ppv and npv are those to expect there.

    A metric that a class without cases leaves undefined is NaN; resamples without a class are left out of its
    interval. A bootstrap is too sure where few patients of a class are met, and sees no spread at all where all of them
    are right. So auroc has DeLong's interval on the logit scale (Obuchowski 1997 for patients of several images), with
    fewer than 20 patients in a class Newcombe's (2006), balanced accuracy that of its classes' Wilson intervals joined (Zou
    & Donner 2008), a share of the cases of fewer than 20 patients Wilson's of as many cases as these tell
    (`clustered_share`), and what is 0 or 1 the exact binomial bound over the patients of its cases, or of the smallest
    class; of two classes at a `prevalence` accuracy, ppv and npv have what follows from the bounds of sensitivity and
    specificity; what no resample moves is NaN to NaN. Chance alone raises ece, and resampling raises it again by about as
    much, so its interval is reflected about the value (the basic bootstrap), and reaches to 0 where one forecast in forty
    that means what it says would have as much.
    """
    at = None if prevalence is None else class_prior(prevalence, predictions)
    called, constant = decide(predictions, threshold), class_prior(prior, predictions)
    return _scores(predictions, called, constant, threshold, at, seed, resamples)


def per_class(
    predictions: Predictions,
    threshold: float | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    prior: Prior | None = None,
) -> dict[str, Scores]:
    """The scores of each class against the rest, as two classes, with the calls that the whole makes.

    With two classes, those of either as the positive one. Every Scores has the classes ('rest', name).
    """
    called, shares = decide(predictions, threshold), class_prior(prior, predictions)
    found = {}
    for k, name in enumerate(predictions.classes):
        against = against_rest(predictions, k)
        calls, constant = (called == k).astype(np.int64), np.array([1 - shares[k], shares[k]])
        found[name] = _scores(against, calls, constant, threshold, None, seed, resamples)
    return found


def _scores(
    predictions: Predictions, called: NDArray[np.int64], constant: NDArray[np.float64], threshold: float | None,
    at: NDArray[np.float64] | None, seed: int, resamples: int,
) -> Scores:  # fmt: skip
    """Scores of the classes `called` at the prior `at`, beside the forecast of the shares `constant` for everybody."""
    N, positive = predictions.table.height, predictions.positive_index
    majority = np.full(N, constant.argmax(), dtype=np.int64)
    meter = Meter(np.tile(constant, (N, 1)), predictions.targets, majority, positive, at)
    baseline = meter(np.ones((1, N)))
    found = _measures(predictions, called, at, seed, resamples)
    estimates = {
        name: Estimate(each.value, each.low, each.high, float(baseline[name][0])) for name, each in found.items()
    }
    return Scores(
        estimates=estimates | _recalibration(predictions, constant, at, bounded=resamples > 0),
        threshold=threshold,
        confusion=_confusion(predictions.targets, called, len(predictions.classes)),
        classes=predictions.classes,
        positive=predictions.positive,
        cases=N,
        patients=int(predictions.patients.max()) + 1,
    )


def _recalibration(
    predictions: Predictions, constant: NDArray[np.float64], at: NDArray[np.float64] | None, *, bounded: bool
) -> dict[str, Estimate]:
    """The figures of `recalibration` beside those of the same shares for everybody, which have no slope."""
    baseline = recalibration(predictions.with_probabilities(constant), at)
    unknown = (np.nan, np.nan)
    return {
        name: Estimate(value, *((low, high) if bounded else unknown), baseline=baseline[name][0])
        for name, (value, low, high) in recalibration(predictions, at).items()
    }


def _measures(
    predictions: Predictions, called: NDArray[np.int64], at: NDArray[np.float64] | None, seed: int, resamples: int,
    more: Callable[[NDArray[Any]], dict[str, NDArray[np.float64]]] = lambda W: {},
) -> dict[str, Measure]:  # fmt: skip
    """The METRICS, and whatever figures `more` gives for weights of the cases; without resamples bounds are NaN."""
    positive = predictions.positive_index
    folds, patients = predictions.folds, predictions.patients
    meter = Meter(predictions.probabilities, predictions.targets, called, positive, at, folds, patients)
    one = np.ones((1, predictions.table.height))
    values = {name: float(value[0]) for name, value in (meter(one) | more(one)).items()}
    spread = replicates(lambda W: meter(W) | more(W), patients, resamples, seed)
    bounds = {}
    if resamples:
        own = {name: values[name] for name in METRICS}
        bounds = bounds_of(own, spread, predictions, called, prior=at, seed=seed)
    unknown = (np.nan, np.nan)
    none: NDArray[np.float64] = np.empty(0)
    freedom = _freedom(predictions)
    return {
        name: Measure(value, *bounds.get(name, unknown), spread.get(name, none), freedom(name))
        for name, value in values.items()
    }


def _freedom(predictions: Predictions) -> Callable[[str], float]:
    """Of each metric: of two classes the patients of the rarer one tell it, but for what is a mean over all cases."""
    targets, patients = predictions.targets, predictions.patients
    every = len(np.unique(patients)) - 1
    sides = [len(np.unique(patients[targets == k])) - 1 for k in np.unique(targets)]
    rarer = min(sides) if len(predictions.classes) == 2 else every
    return lambda name: float(every if name in OVER_ALL else rarer)


def measured(
    predictions: Predictions,
    threshold: float | None = None,
    *,
    specificity: float = 0.95,
    prevalence: Prior | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Measure]:
    """Every metric of METRICS and `sensitivity_at_specificity` with intervals and bootstrap replicates, in one pass.

    Classes are called, `prevalence` is taken, and the intervals are those, as in `score`.
    """
    called, at = decide(predictions, threshold), None if prevalence is None else class_prior(prevalence, predictions)
    name, (scores, positive) = "sensitivity_at_specificity", one_class(predictions, None)
    ranking = Ranking.of(scores, positive)
    more = lambda W: {name: ranking.sensitivity_at(W, specificity)}  # noqa: E731
    found = _measures(predictions, called, at, seed, resamples, more)
    value, spread = found[name].value, found[name].replicates
    low, high = sensitivity_bounds(value, spread, predictions.patients[positive])
    return found | {name: Measure(value, low, high, spread, found[name].freedom)}


def sensitivity_at_specificity(
    predictions: Predictions, specificity: float = 0.95, *, of: str | None = None, seed: int = 0, resamples: int = 1000
) -> Estimate:
    """The sensitivity where the ROC curve of these cases has the given specificity, with its interval over patients.

    It describes the ranking, as AUROC does: the threshold is found on the cases themselves. The constant forecast finds
    nobody there. `of` is the class against the rest (default: the positive one).
    """
    scores, positive = one_class(predictions, of)
    ranking = Ranking.of(scores, positive)
    value = float(ranking.sensitivity_at(np.ones((1, len(scores))), specificity)[0])
    spread = replicates(
        lambda W: {"value": ranking.sensitivity_at(W, specificity)}, predictions.patients, resamples, seed
    )
    bounds = (np.nan, np.nan)
    if resamples:
        bounds = sensitivity_bounds(value, spread["value"], predictions.patients[positive])
    return Estimate(value, *bounds, 0.0)


def confusion(predictions: Predictions, threshold: float | None = None) -> NDArray[np.int64]:
    """Counts of cases, int64 (K, K): true classes in the rows, called ones in the columns."""
    return _confusion(predictions.targets, decide(predictions, threshold), len(predictions.classes))


def _confusion(targets: NDArray[np.int64], called: NDArray[np.int64], K: int) -> NDArray[np.int64]:
    return np.bincount(targets * K + called, minlength=K * K).reshape(K, K).astype(np.int64)
