"""What is told of the doubt about single answers: prediction sets with their coverage, and a rule of abstention beside them.

Sets go by the network's own probabilities, corrected in closed form for the remedy: neither the calibration nor the threshold that
the validation part chose has a part in them (docs/decisions/0031).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.scores import Figure, ScoresRecord
from evenray.core.artefacts.uncertainty import (
    AbstentionCurve,
    ClassCoverage,
    PredictionSets,
    QuestionUncertainty,
    UncertaintyRecord,
)  # fmt: skip
from evenray.core.events import Events
from evenray.core.types import Predictions
from evenray.metrics import decide
from evenray.metrics.abstention import abstention
from evenray.metrics.conformal import (
    covered,
    expected_coverage,
    held_out_sets,
    least_probabilities,
    patients_needed,
    prediction_sets,
)  # fmt: skip
from evenray.metrics.intervals import clustered_share

__all__ = ["tell_sets", "uncertainty"]

COVERAGES = (0.8, 0.9, 0.95)  # told beside the one that is asked for


def uncertainty(
    plain: Mapping[str, Predictions], test: Predictions, scores: ScoresRecord, coverage: float, *, epoch_chosen: bool,
    ordered: bool, seed: int,
) -> UncertaintyRecord:  # fmt: skip
    """The record of classes or findings. `plain` are uncalibrated predictions of the validation and test parts, of a
    cross-validation of the held-out cases ("test") alone; `test` those that calls are made of."""
    nested = plain["test"].folds is not None
    coverages = sorted({*COVERAGES, coverage})

    def question(own: Mapping[str, Predictions], called: Predictions, threshold: float | None) -> QuestionUncertainty:
        sets = tuple(_sets(own, called, threshold, each, ordered) for each in coverages)
        curve = None if called.table.is_empty() else _curve(called, threshold, seed)
        return QuestionUncertainty(classes=called.classes, sets=sets, abstention=curve)

    if scores.findings:
        questions = {
            name: question(
                {part: each.finding(name) for part, each in plain.items()}, test.finding(name),
                None if nested else scores.findings[name].threshold,
            )
            for name in test.classes
        }  # fmt: skip
    else:
        questions = {"": question(plain, test, None if nested else scores.threshold)}
    return UncertaintyRecord(
        coverage=coverage, calibrated_on="held_out" if nested else "validation", epoch_chosen=epoch_chosen and not nested,
        ordered=ordered, questions=questions,
    )  # fmt: skip


def _sets(
    plain: Mapping[str, Predictions], called: Predictions, threshold: float | None, coverage: float, ordered: bool
) -> PredictionSets:
    test, needed = plain["test"], patients_needed(coverage)
    calibration = plain.get("validation", test)
    counts = [len(np.unique(calibration.patients[calibration.targets == k])) for k in range(len(test.classes))]
    none = PredictionSets(
        coverage=coverage, needed=needed,
        refused={name: n for name, n in zip(test.classes, counts, strict=True) if n < needed},
    )  # fmt: skip
    if none.refused or test.table.is_empty():
        return none
    least = [each for each in least_probabilities(calibration, coverage) if each is not None]
    if test.folds is None:
        sets: NDArray[np.bool_] | None = prediction_sets(test.probabilities, least, ordered=ordered)
    else:
        sets = held_out_sets(test, coverage, ordered=ordered)
    if sets is None:  # all cases are enough, and those of the other folds are not
        rarest = int(np.argmin(counts))
        return none.model_copy(update={"refused": {test.classes[rarest]: counts[rarest]}})
    classes = []
    for k, (n, cut) in enumerate(zip(counts, least, strict=True)):
        found = covered(sets, test.targets, test.patients, k)
        low, high = expected_coverage(coverage, n, found.patients) if found.patients else (np.nan, np.nan)
        classes.append(
            ClassCoverage(
                calibration=n, least=cut, patients=found.patients, value=found.value, low=found.low, high=found.high,
                expected_low=low, expected_high=high,
            )
        )  # fmt: skip
    held = sets.sum(axis=1)
    sizes = np.bincount(held, minlength=len(test.classes) + 1) / len(held)
    right = decide(called, threshold) == called.targets
    return none.model_copy(
        update={
            "classes": tuple(classes),
            "sizes": tuple(sizes.tolist()),
            "single": _single(sets, test, float(right.mean())),
        }
    )


def _single(sets: NDArray[np.bool_], test: Predictions, usual: float) -> Figure | None:
    """How often a set of one class is right, beside how often a call of any case is; None where there is no such set."""
    single = sets.sum(axis=1) == 1
    if not single.any():
        return None
    right = sets[single, test.targets[single]]
    low, high = clustered_share(right, test.patients[single])
    return Figure(value=float(right.mean()), low=low, high=high, baseline=usual)


def _curve(called: Predictions, threshold: float | None, seed: int) -> AbstentionCurve:
    found = abstention(called, threshold, seed=seed)
    return AbstentionCurve(
        shares=found.shares, accuracy=tuple(found.accuracy.tolist()), low=tuple(found.low.tolist()),
        high=tuple(found.high.tolist()), answered=tuple(map(tuple, found.answered.tolist())),
        area=Figure.of(found.area),
    )  # fmt: skip


def tell_sets(record: UncertaintyRecord, events: Events) -> None:
    """Say how often the sets of the asked coverage held the truth, or why there are none."""
    for name, question in record.questions.items():
        sets = next(each for each in question.sets if each.coverage == record.coverage)
        about: dict[str, Any] = {
            "coverage": f"{100 * sets.coverage:g}",
            "finding": name,
            "variant": "finding" if name else "",
        }
        if sets.refused:
            events.tell("evaluate.no_sets", "note", patients=sets.refused, needed=sets.needed, **about)
        elif sets.classes:
            measured = zip(question.classes, sets.classes, strict=True)
            told = {each: f"{100 * one.value:.0f}" if one.patients else "–" for each, one in measured}
            events.tell("evaluate.sets", measured=told, **about)
