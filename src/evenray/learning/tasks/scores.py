"""What scores.json tells of the predictions of one question: figures with intervals, groups, operating points."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.scores import CalibrationRecord, Figure, OperatingPoint, PartScores, ScoresRecord
from evenray.core.errors import DataError
from evenray.core.types import Predictions
from evenray.metrics import by_group, choose_threshold, decision_curve, grades, per_patient, score

from .table import GROUPS

__all__ = ["BESIDE", "RESAMPLES", "summarise"]

RESAMPLES = 2000
BESIDE = 1000  # for the tables beside the main one
POINTS = ("youden", "accuracy", "sensitivity(0.95)", "specificity(0.95)", "net_benefit(at=0.1)", "prevalence")
RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
Floats = NDArray[np.float64]


def summarise(
    found: Mapping[str, Predictions], rule: str | None, prior: Floats, target: Floats | None = None, *,
    ordered: bool = False, seed: int = 0,
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
        return OperatingPoint(
            rule=rule, threshold=chosen, confusion=part.confusion, **{name: part.metrics[name] for name in RATES}
        )

    groups = {name: test.table[name].drop_nulls().n_unique() for name in GROUPS if name in test.table.columns}
    curve = decision_curve(test, prevalence=target, resamples=BESIDE)
    return ScoresRecord(
        classes=test.classes, positive=test.positive, threshold=threshold, threshold_rule=rule, ordered=ordered,
        calibration=CalibrationRecord(method="none", parameters={}), prevalence=None, tta=None,
        parts={name: scored(each, threshold, RESAMPLES) for name, each in found.items()},
        patients=_patients(found, rule, at, target, seed),
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
        operating_points=() if rule is None else tuple(point(each) for each in dict.fromkeys((rule, *POINTS))),
    )  # fmt: skip


def _patients(
    found: Mapping[str, Predictions], rule: str | None, at: Floats, target: Floats | None, seed: int
) -> PartScores | None:
    """The test part with patients in place of images; None where every patient has one image, or labels disagree."""
    if int(found["test"].patients.max()) + 1 == found["test"].table.height:
        return None
    with suppress(DataError):  # images of one patient that carry different classes of many
        validation, test = (per_patient(found[name]) for name in ("validation", "test"))
        threshold = None if rule is None else choose_threshold(validation, rule, at)
        scores = score(test, threshold, resamples=BESIDE, seed=seed, prior=at, prevalence=target)
        return PartScores.of(scores, threshold=threshold)
    return None
