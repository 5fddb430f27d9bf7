"""What scores.json tells of the predictions of one question: figures with intervals, groups, operating points."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.scores import CalibrationRecord, Figure, OperatingPoint, PartScores, ScoresRecord
from evenray.core.errors import DataError
from evenray.core.spec import Step
from evenray.core.types import Predictions
from evenray.metrics import (
    by_group,
    calibration_by_class,
    choose_threshold,
    decision_curve,
    grades,
    per_patient,
    score,
    threshold_spread,
)
from evenray.metrics.intervals import percentile_interval
from evenray.metrics.operating import LOOKING_AT_NO_CASE

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
    Of `ordered` classes the parts have the agreement of grades too.
    """
    test, at = found["test"], prior if target is None else target
    threshold = None if rule is None else choose_threshold(found["validation"], rule, at)

    def scored(predicted: Predictions, threshold: float | None, resamples: int = BESIDE) -> PartScores:
        part = PartScores.of(score(predicted, threshold, resamples=resamples, seed=seed, prior=at, prevalence=target))
        if not ordered:
            return part
        told = grades(predicted, threshold, prior=at, seed=seed, resamples=resamples)
        return part.model_copy(
            update={"metrics": part.metrics | {name: Figure.of(estimate) for name, estimate in told.items()}}
        )

    def point(rule: str) -> OperatingPoint:
        chosen = choose_threshold(found["validation"], rule, at)
        part = scored(test, chosen)
        rates = {name: part.metrics[name] for name in RATES}
        return OperatingPoint(rule=rule, threshold=chosen, confusion=part.confusion, **rates).model_copy(  # type: ignore[arg-type]
            update=_ranges(found, rule, at, seed)
        )

    points, refused = list[OperatingPoint](), list[str]()
    for each in () if rule is None else dict.fromkeys((rule, *POINTS)):
        try:
            points.append(point(each))
        except DataError:  # too few cases for what the rule promises
            refused.append(each)
    groups = {name: test.table[name].drop_nulls().n_unique() for name in GROUPS if name in test.table.columns}
    curve = decision_curve(test, prevalence=target, resamples=BESIDE)
    return ScoresRecord(
        classes=test.classes, positive=test.positive, threshold=threshold, threshold_rule=rule, ordered=ordered,
        calibration=CalibrationRecord(method="none", parameters={}), prevalence=None, tta=None,
        parts={name: scored(each, threshold, RESAMPLES) for name, each in found.items()},
        patients=_patients(found, rule, at, target, patient_score, seed), patient_score=patient_score,
        calibration_by_class={} if len(test.classes) == 2 else _by_class(test, at, target),
        groups={
            column: {
                name: PartScores.of(scores)
                for name, scores in by_group(
                    test, column, threshold, resamples=BESIDE, seed=seed, prior=at, prevalence=target
                ).items()
            }
            for column, different in groups.items()
            if different > 1
        },
        decision_curve={name: curve[name].fill_nan(None).to_list() for name in curve.columns},
        operating_points=tuple(points), refused_points=tuple(refused),
    )  # fmt: skip


def _ranges(found: Mapping[str, Predictions], rule: str, at: Floats, seed: int) -> dict[str, tuple[float, float]]:
    """Where the threshold would lie had other validation patients been met, and the rates of the test part there."""
    if Step.of(rule).name in LOOKING_AT_NO_CASE:
        return {}
    thresholds = threshold_spread(found["validation"], rule, at, resamples=SPREAD, seed=seed)
    said, targets = found["test"].probabilities[:, found["test"].positive_index], found["test"].targets
    positive = targets == found["test"].positive_index
    spread = {"threshold_range": thresholds}
    if positive.any() and not positive.all():
        sick, healthy = np.sort(said[positive]), np.sort(said[~positive])
        spread["sensitivity_range"] = 1 - np.searchsorted(sick, thresholds) / len(sick)
        spread["specificity_range"] = np.searchsorted(healthy, thresholds) / len(healthy)
    return {name: percentile_interval(values) for name, values in spread.items()}


def _by_class(test: Predictions, at: Floats, target: Floats | None) -> dict[str, dict[str, Figure]]:
    """Slope, calibration-in-the-large and observed : expected of each class, beside those of the shares `at` for everybody."""
    constant = test.table.with_columns(**{f"p_{k}": pl.lit(float(share)) for k, share in enumerate(at)})
    baseline = calibration_by_class(replace(test, table=constant), target)
    return {
        name: {
            figure: Figure(value=value, low=low, high=high, baseline=baseline[name][figure][0])
            for figure, (value, low, high) in figures.items()
        }
        for name, figures in calibration_by_class(test, target).items()
    }


def _patients(
    found: Mapping[str, Predictions], rule: str | None, at: Floats, target: Floats | None, how: Literal["mean", "max"],
    seed: int,
) -> PartScores | None:  # fmt: skip
    """The test part with patients in place of images; None where every patient has one image, or labels disagree."""
    if int(found["test"].patients.max()) + 1 == found["test"].table.height:
        return None
    with suppress(DataError):  # images of one patient that carry different classes of many
        validation, test = (per_patient(found[name], how) for name in ("validation", "test"))
        threshold = None if rule is None else choose_threshold(validation, rule, at)
        scores = score(test, threshold, resamples=BESIDE, seed=seed, prior=at, prevalence=target)
        return PartScores.of(scores, threshold=threshold)
    return None
