"""What scores.json tells of the predictions of one question: figures with intervals, groups, operating points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.scores import CalibrationRecord, OperatingPoint, PartScores, ScoresRecord
from evenray.core.errors import DataError
from evenray.core.spec import Step
from evenray.core.types import Predictions, Scores
from evenray.metrics import (
    by_group,
    called_by_fold,
    choose_threshold,
    decision_curve,
    each_repeat,
    grades,
    over_repeats,
    per_patient,
    score,
    threshold_spread,
)
from evenray.metrics.intervals import percentile_interval
from evenray.metrics.operating import LOOKING_AT_NO_CASE

from .repeats import by_class, joined_by_name, mean_curve
from .table import GROUPS

__all__ = ["BESIDE", "RESAMPLES", "summarise"]

RESAMPLES = 2000
BESIDE = 1000  # for the tables beside the main one
POINTS = ("youden", "accuracy", "sensitivity(0.95)", "specificity(0.95)", "net_benefit(at=0.1)", "prevalence")
SPREAD = 200  # resamples of the validation part, for the spread of a threshold
RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
Floats = NDArray[np.float64]


def summarise(
    found: Mapping[str, Predictions], rule: str | None, prior: Floats, target: Floats | None = None, *,
    ordered: bool = False, patient_score: Literal["mean", "max"] = "mean", seed: int = 0,
) -> ScoresRecord:  # fmt: skip
    """What scores.json tells of the predictions of the validation and the test part, without a calibration.

    `rule` chooses the threshold on validation (None with more than two classes), for the shares that the probabilities
    are at; `prior` (K,) holds those of the training part, `target` (K,) those to score at, None for those of the cases.
    Of `ordered` classes the parts have the agreement of grades too. Of a nested cross-validation "test" holds the held-out cases of
    all outer folds and repeats and "folds" the validation parts of the same, on which each fold's threshold is chosen.
    """
    at = prior if target is None else target
    threshold = None if rule is None else choose_threshold(found["validation"], rule, at)

    def scored(repeats: Sequence[Predictions], threshold: float | None, resamples: int = BESIDE) -> PartScores:
        def score_one(predicted: Predictions, bounded: bool) -> Scores:
            n = resamples if bounded else 0
            scores = score(predicted, threshold, resamples=n, seed=seed, prior=at, prevalence=target)
            told = grades(predicted, threshold, prior=at, seed=seed, resamples=n) if ordered else {}
            return replace(scores, estimates={**scores.estimates, **told})

        return PartScores.of(over_repeats(repeats, score_one))

    def point(rule: str) -> OperatingPoint:
        chosen = choose_threshold(found["validation"], rule, at)
        part = scored(*_called(found, rule, chosen, target))
        rates = {name: part.metrics[name] for name in RATES}
        return OperatingPoint(rule=rule, threshold=chosen, confusion=part.confusion, **rates).model_copy(  # type: ignore[arg-type]
            update={} if "folds" in found else _ranges(found, rule, at, seed)
        )

    points, refused = list[OperatingPoint](), list[str]()
    for each in () if rule is None else dict.fromkeys((rule, *POINTS)):
        try:
            points.append(point(each))
        except DataError:  # too few cases for what the rule promises
            refused.append(each)
    test, cut = _called(found, rule, threshold, target)
    first = test[0]
    groups = {name: first.table[name].drop_nulls().n_unique() for name in GROUPS if name in first.table.columns}
    curve = mean_curve([decision_curve(each, prevalence=target, resamples=BESIDE) for each in test])
    known = curve["net_benefit"].is_finite().any()  # at a prevalence not where a class has no case
    options: dict[str, Any] = {"resamples": BESIDE, "seed": seed, "prior": at, "prevalence": target}
    parts = {
        "validation": scored([found["validation"]], threshold, RESAMPLES),
        "test": scored(test, cut, RESAMPLES),
    }
    return ScoresRecord(
        classes=first.classes, positive=first.positive, threshold=threshold, threshold_rule=rule, ordered=ordered,
        calibration=CalibrationRecord(method="none", parameters={}), prevalence=None, tta=None, parts=parts,
        patients=_patients(found, rule, at, target, patient_score, options), patient_score=patient_score,
        calibration_by_class={} if len(first.classes) == 2 else by_class(test, at, target),
        groups={
            column: {
                name: PartScores.of(scores)
                for name, scores in joined_by_name([by_group(each, column, cut, **options) for each in test]).items()
            }
            for column, different in groups.items()
            if different > 1
        },
        decision_curve={name: curve[name].fill_nan(None).to_list() for name in curve.columns} if known else {},
        operating_points=tuple(points), refused_points=tuple(refused),
    )  # fmt: skip


def _called(
    found: Mapping[str, Predictions], rule: str | None, threshold: float | None, target: Floats | None
) -> tuple[list[Predictions], float | None]:
    """The test part and the threshold for it; of a cross-validation the repeats, each case with its fold's own, and None."""
    test = each_repeat(found["test"])
    if rule is None or "folds" not in found:
        return test, threshold
    pairs = zip(test, each_repeat(found["folds"]), strict=True)
    return [called_by_fold(held, validation, rule, target) for held, validation in pairs], None


def _ranges(found: Mapping[str, Predictions], rule: str, at: Floats, seed: int) -> dict[str, tuple[float, float]]:
    """Where the threshold would lie had other validation patients been met, and the rates of the test part there."""
    if Step.of(rule).name in LOOKING_AT_NO_CASE:
        return {}
    thresholds = threshold_spread(found["validation"], rule, at, resamples=SPREAD, seed=seed)
    if not len(thresholds):  # so few patients that no resample has both classes
        return {}
    said, targets = found["test"].probabilities[:, found["test"].positive_index], found["test"].targets
    positive = targets == found["test"].positive_index
    spread = {"threshold_range": thresholds}
    if positive.any() and not positive.all():
        sick, healthy = np.sort(said[positive]), np.sort(said[~positive])
        spread["sensitivity_range"] = 1 - np.searchsorted(sick, thresholds) / len(sick)
        spread["specificity_range"] = np.searchsorted(healthy, thresholds) / len(healthy)
    return {name: percentile_interval(values) for name, values in spread.items()}


def _patients(
    found: Mapping[str, Predictions], rule: str | None, at: Floats, target: Floats | None, how: Literal["mean", "max"],
    options: Mapping[str, Any],
) -> PartScores | None:  # fmt: skip
    """The test part with patients in place of images; None where every patient has one image, or labels disagree."""
    first = each_repeat(found["test"])[0]
    if int(first.patients.max()) + 1 == first.table.height:
        return None
    with suppress(DataError):  # images of one patient that carry different classes of many
        whole = {name: _by_patient(predicted, how) for name, predicted in found.items()}
        threshold = None if rule is None else choose_threshold(whole["validation"], rule, at)
        test, cut = _called(whole, rule, threshold, target)
        scores = over_repeats(
            test,
            lambda each, bounded: score(each, cut, **{**options, "resamples": options["resamples"] if bounded else 0}),
        )
        return PartScores.of(scores, threshold=threshold)
    return None


def _by_patient(predicted: Predictions, how: Literal["mean", "max"]) -> Predictions:
    """Patients in place of images, in every fold of every repeat by itself."""
    apart = [name for name in ("repeat", "fold") if name in predicted.table.columns]
    tables = predicted.table.partition_by(apart, maintain_order=True) if apart else [predicted.table]
    return replace(
        predicted, table=pl.concat([per_patient(replace(predicted, table=each), how).table for each in tables])
    )
