"""Of the repeats of a cross-validation the thresholds of the folds, and what is told beside the main figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.scores import Figure, ScoresRecord
from evenray.core.types import Estimate, Predictions, Scores
from evenray.metrics import calibration_by_class, called_by_fold, each_repeat, joined

from .question import Target

__all__ = ["by_class", "called", "called_findings", "joined_by_name", "mean_curve"]

Floats = NDArray[np.float64]


def called(found: Mapping[str, Predictions], scores: ScoresRecord, target: Target) -> Predictions:
    """The held-out cases of all repeats ("test") with the thresholds by which they are called, chosen on "folds"."""
    test, rule = found["test"], scores.threshold_rule
    if not scores.findings and rule is None:
        return test
    tables = []
    for held, validation in zip(each_repeat(test), each_repeat(found["folds"]), strict=True):
        if scores.findings:
            rules = [one.threshold_rule or "" for one in scores.findings.values()]
            told = called_findings(held, validation, rules, target)
        else:
            told = called_by_fold(held, validation, rule or "", target[0])
        tables.append(told.table)
    return replace(test, table=pl.concat(tables))


def called_findings(test: Predictions, validation: Predictions, rules: Sequence[str], target: Target) -> Predictions:
    """The held-out cases of a repeat with the threshold of each finding in each fold, threshold_k."""
    columns = []
    for k, (name, rule, at) in enumerate(zip(test.classes, rules, target, strict=True)):
        share = pl.col(f"prior_{k}")
        every = replace(test.finding(name), table=test.table.select("fold", prior_0=1 - share, prior_1=share))
        told = called_by_fold(every, validation.finding(name), rule, at)
        columns.append(told.table["threshold"].alias(f"threshold_{k}"))
    return replace(test, table=test.table.with_columns(columns))


def by_class(repeats: Sequence[Predictions], at: Floats, target: Floats | None) -> dict[str, dict[str, Figure]]:
    """Slope, calibration-in-the-large and observed : expected of each class, beside those of the shares `at` for everybody."""
    found = []
    for each in repeats:
        constant = calibration_by_class(each.with_probabilities(at), target)
        found.append({
            name: {figure: Estimate(*told, constant[name][figure][0]) for figure, told in figures.items()}
            for name, figures in calibration_by_class(each, target).items()
        })  # fmt: skip
    return {
        name: {figure: Figure.of(_one([each[name][figure] for each in found])) for figure in figures}
        for name, figures in found[0].items()
    }


def _one(estimates: Sequence[Estimate]) -> Estimate:
    return estimates[0] if len(estimates) == 1 else joined(estimates)


def joined_by_name(repeats: Sequence[Mapping[str, Scores]]) -> dict[str, Scores]:
    """The scores of groups, each over all repeats, which have the same cases in a group."""
    found = {}
    for name, first in repeats[0].items():
        estimates = {metric: _one([each[name].estimates[metric] for each in repeats]) for metric in first.estimates}
        found[name] = replace(first, estimates=estimates)
    return found


def mean_curve(curves: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The mean of decision curves, column by column."""
    mean = np.mean([curve.to_numpy() for curve in curves], axis=0)
    return pl.DataFrame(mean, schema=curves[0].columns, orient="row") if len(curves) > 1 else curves[0]
