"""What scores.json tells of findings: a record of each by itself, and the means over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.scores import CalibrationRecord, PartScores, ScoresRecord
from evenray.core.types import Predictions, Scores
from evenray.metrics import (
    averaged,
    choose_threshold,
    each_repeat,
    over_repeats,
    score,
    score_findings,
)  # fmt: skip

from .question import Target
from .repeats import called_findings
from .scores import BESIDE, RESAMPLES, summarise

__all__ = ["summarise_findings"]

UNKNOWN_RULE = "prevalence"  # looks at no case


def summarise_findings(
    found: Mapping[str, Predictions], rule: str, priors: Sequence[NDArray[np.float64]], target: Target, *,
    patient_score: Literal["mean", "max"] = "mean", seed: int = 0,
) -> ScoresRecord:  # fmt: skip
    """The record of findings; thresholds are chosen finding by finding, for the shares that their probabilities are at.

    A finding that the validation part has of one kind alone is called by its prevalence in training. One of which nothing is
    known in the test part has no figures there.
    """
    classes = found["test"].classes
    each = {
        name: _one(
            {part: predicted.finding(name) for part, predicted in found.items()}, rule, prior, at, patient_score, seed
        )
        for name, prior, at in zip(classes, priors, target, strict=True)
    }
    cuts = [record.threshold for record in each.values()]
    test = each_repeat(found["test"])
    if "folds" in found:
        own_rules = [record.threshold_rule or rule for record in each.values()]
        pairs = zip(test, each_repeat(found["folds"]), strict=True)
        test = [called_findings(held, validation, own_rules, target) for held, validation in pairs]

    def scored(repeats: Sequence[Predictions], cuts: Sequence[float | None] | None) -> PartScores:
        def score_one(predicted: Predictions, bounded: bool) -> Scores:
            n = RESAMPLES if bounded else 0
            return score_findings(predicted, cuts, seed=seed, resamples=n, priors=priors, prevalence=target)

        present = dict(zip(classes, (repeats[0].targets == 1).sum(axis=0).tolist(), strict=True))
        return PartScores.of(over_repeats(repeats, score_one)).model_copy(update={"counts": present})

    parts = {"validation": ([found["validation"]], cuts), "test": (test, None if "folds" in found else cuts)}
    return ScoresRecord(
        task="tag", classes=classes, positive=found["test"].positive, threshold=None, threshold_rule=rule,
        calibration=CalibrationRecord(method="none", parameters={}), prevalence=None, tta=None,
        parts={part: scored(*given) for part, given in parts.items() if averaged(given[0][0])}, patients=None,
        groups={}, decision_curve={}, findings=each, averaged=averaged(test[0]),
    )  # fmt: skip


def _one(
    found: Mapping[str, Predictions],
    rule: str,
    prior: NDArray[np.float64],
    target: NDArray[np.float64] | None,
    patient_score: Literal["mean", "max"],
    seed: int,
) -> ScoresRecord:
    kinds = {part: len(np.unique(two.targets)) for part, two in found.items()}
    if kinds["validation"] < 2:
        rule = UNKNOWN_RULE
    if kinds["validation"] == 2 and kinds["test"] == 2:
        return summarise(found, rule, prior, target, patient_score=patient_score, seed=seed)
    at = prior if target is None else target
    threshold = float(at[1]) if kinds["validation"] < 2 else choose_threshold(found["validation"], rule, at)
    parts = {
        part: PartScores.of(score(two, threshold, resamples=BESIDE, seed=seed, prior=at, prevalence=target))
        for part, two in {"validation": found["validation"], "test": each_repeat(found["test"])[0]}.items()
        if two.table.height
    }
    return ScoresRecord(
        classes=found["test"].classes, positive=found["test"].positive, threshold=threshold, threshold_rule=rule,
        calibration=CalibrationRecord(method="none", parameters={}), prevalence=None, tta=None, parts=parts,
        patients=None, groups={}, decision_curve={},
    )  # fmt: skip
