"""What scores.json tells of findings: a record of each by itself, and the means over them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.scores import CalibrationRecord, PartScores, ScoresRecord
from evenray.core.errors import DataError
from evenray.core.types import Predictions, Scores
from evenray.metrics import (
    averaged,
    called_by_fold,
    choose_threshold,
    each_repeat,
    over_repeats,
    score,
    score_findings,
)  # fmt: skip

from .question import Target
from .repeats import called_findings
from .scores import BESIDE, RESAMPLES, summarise

__all__ = ["UNKNOWN_RULE", "chosen", "summarise_findings"]

UNKNOWN_RULE = "prevalence"  # looks at no case


def chosen(validation: Predictions, rule: str, shares: NDArray[np.float64]) -> tuple[float, str]:
    """The threshold that a rule chooses, and the rule; by the prevalence where the cases are of one kind alone, or too few for
    what the rule promises.

    >>> import polars as pl
    >>> table = pl.DataFrame({"target": [0, 1], "p_0": [0.9, 0.2], "p_1": [0.1, 0.8]})
    >>> few = Predictions(table, ("absent", "present"), "present")
    >>> chosen(few, "fixed(0.5)", np.array([0.75, 0.25])), chosen(few, "sensitivity(0.95)", np.array([0.75, 0.25]))
    ((0.5, 'fixed(0.5)'), (0.25, 'prevalence'))
    """
    with suppress(DataError):
        return choose_threshold(validation, rule, shares), rule
    return float(shares[validation.positive_index]), UNKNOWN_RULE


def summarise_findings(
    found: Mapping[str, Predictions], rule: str, priors: Sequence[NDArray[np.float64]], target: Target, *,
    patient_score: Literal["mean", "max"] = "mean", refused: Collection[str] = (), seed: int = 0,
) -> ScoresRecord:  # fmt: skip
    """The record of findings; thresholds are chosen finding by finding, for the shares that their probabilities are at.

    A finding that the validation part has of one kind alone is called by its prevalence in training. So is one of which it, or the
    validation part of an outer fold, has too few for what the rule promises; its record has the rule in `refused_points`, and
    `refused` names those of which this is known already. One of which nothing is known in the test part has no figures there.
    """
    classes = found["test"].classes
    each = {
        name: _one(
            {part: predicted.finding(name) for part, predicted in found.items()},
            rule,
            prior,
            at,
            patient_score,
            seed,
            refused=name in refused,
        )
        for name, prior, at in zip(classes, priors, target, strict=True)
    }
    known = [
        prior if at is None else at for prior, at in zip(priors, target, strict=True)
    ]  # by whom nothing is looked at
    cuts = [record.threshold for record in each.values()]
    test = each_repeat(found["test"])
    if "folds" in found:
        own_rules = [record.threshold_rule or rule for record in each.values()]
        pairs = zip(test, each_repeat(found["folds"]), strict=True)
        test = [called_findings(held, validation, own_rules, target) for held, validation in pairs]

    def scored(repeats: Sequence[Predictions], cuts: Sequence[float | None] | None) -> PartScores:
        def score_one(predicted: Predictions, bounded: bool) -> Scores:
            n = RESAMPLES if bounded else 0
            return score_findings(predicted, cuts, seed=seed, resamples=n, priors=known, prevalence=target)

        present = dict(zip(classes, (repeats[0].targets == 1).sum(axis=0).tolist(), strict=True))
        return PartScores.of(over_repeats(repeats, score_one)).model_copy(update={"counts": present})

    parts = {"validation": ([found["validation"]], cuts), "test": (test, None if "folds" in found else cuts)}
    return ScoresRecord(
        task="tag", classes=classes, positive=found["test"].positive, threshold=None, threshold_rule=rule,
        calibration=CalibrationRecord(method="none", parameters={}), prevalence=None, tta=None,
        parts={part: scored(*given) for part, given in parts.items() if averaged(given[0][0])}, patients=None,
        groups={}, decision_curve={}, findings=each, averaged=averaged(test[0]), patient_score=patient_score,
    )  # fmt: skip


def _one(
    found: Mapping[str, Predictions],
    rule: str,
    prior: NDArray[np.float64],
    target: NDArray[np.float64] | None,
    patient_score: Literal["mean", "max"],
    seed: int,
    *,
    refused: bool,
) -> ScoresRecord:
    at = prior if target is None else target
    kinds = {part: len(np.unique(two.targets)) for part, two in found.items()}
    asked, (threshold, rule) = rule, chosen(found["validation"], UNKNOWN_RULE if refused else rule, at)
    if rule != UNKNOWN_RULE and not _kept_in_folds(found, rule, target):
        threshold, rule = chosen(found["validation"], UNKNOWN_RULE, at)
    points = (asked,) if kinds["validation"] == 2 and rule != asked else ()
    if kinds["validation"] == 2 and kinds["test"] == 2:
        record = summarise(found, rule, prior, target, patient_score=patient_score, seed=seed)
        told = tuple(dict.fromkeys((*points, *record.refused_points)))
        return record.model_copy(update={"refused_points": told})
    parts = {
        part: PartScores.of(score(two, threshold, resamples=BESIDE, seed=seed, prior=at, prevalence=target))
        for part, two in {"validation": found["validation"], "test": each_repeat(found["test"])[0]}.items()
        if two.table.height
    }
    return ScoresRecord(
        classes=found["test"].classes, positive=found["test"].positive, threshold=threshold, threshold_rule=rule,
        calibration=CalibrationRecord(method="none", parameters={}), prevalence=None, tta=None, parts=parts,
        patients=None, groups={}, decision_curve={}, refused_points=points,
    )  # fmt: skip


def _kept_in_folds(found: Mapping[str, Predictions], rule: str, target: NDArray[np.float64] | None) -> bool:
    """Whether every outer fold has cases enough for what a rule promises; so it is where there are no folds."""
    if "folds" not in found:
        return True
    with suppress(DataError):
        for held, validation in zip(each_repeat(found["test"]), each_repeat(found["folds"]), strict=True):
            called_by_fold(held, validation, rule, target)
        return True
    return False
