"""The stage that opens the test part: probabilities, the operating point, and everything that is told of them."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import polars as pl

from evenray.core.artefacts import now
from evenray.core.errors import DataError
from evenray.core.numbers import brief
from evenray.core.recipe import Recipe
from evenray.core.types import Estimate, Predictions, Scores
from evenray.learning.plan.training import ENOUGH_TO_CHOOSE
from evenray.learning.predict import GROUPS, predictions, target_prior
from evenray.learning.train import forward
from evenray.learning.tta import reach
from evenray.metrics import (
    Calibration,
    by_group,
    calibrate,
    choose_threshold,
    decision_curve,
    per_patient,
    score,
)

from .audit import label_findings
from .context import Context
from .train import model_of, parts_of, remedy_of

__all__ = ["evaluate_network", "summarise"]

RESAMPLES = 2000
BESIDE = 1000  # for the tables beside the main one
POINTS = ("youden", "accuracy", "sensitivity(0.95)", "specificity(0.95)", "net_benefit(at=0.1)", "prevalence")
RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")


def evaluate_network(context: Context) -> list[str]:
    """Predictions and scores; calibration and threshold are chosen on validation, and the test part is opened here alone."""
    asked, dataset = context.recipe, context.dataset
    choice = context.folder.read_json("choice.json")
    remedy, prior = remedy_of(context)
    target = target_prior(asked.prevalence, dataset.classes, dataset.positive)
    model = model_of(context)
    context.folder.note(lambda ledger: ledger.setdefault("test_opened", []).append(now()))
    calibration, found, view = Calibration("none", {}), {}, context.plan.views
    parts = parts_of(context, choice["contrast"], ("validation", "test"), reach(view, asked.scale_jitter))
    with context.progress.task("evaluating", sum(len(part) for _, part in parts.values())) as tick:
        for name, (cases, part) in parts.items():
            logits = forward(
                model, part, context.plan.batch, context.fabric, lambda: tick(context.plan.batch), view=view
            )
            if name == "validation":
                fewest = min(cases.counts.values())
                if fewest >= ENOUGH_TO_CHOOSE:
                    calibration = calibrate(remedy.correct(logits, prior), cases.targets, asked.calibration, prior)
                elif asked.calibration != Recipe.calibration:
                    context.progress.say(
                        f"[yellow]not calibrated[/yellow] the validation part has {fewest} cases of its rarest class;"
                        f" {asked.calibration} needs {ENOUGH_TO_CHOOSE}"
                    )
            found[name] = predictions(cases, logits, remedy, prior, calibration, target)
    table = pl.concat([each.table for each in found.values()])
    context.folder.write_table("predictions.parquet", table)
    labels = label_findings(context, Predictions(table, dataset.classes, dataset.positive))
    rule = None
    if len(dataset.classes) == 2:
        rule = remedy.rule if remedy.rule is not None and asked.threshold == Recipe.threshold else asked.threshold
    told = {"calibration": calibration.as_json(), "prevalence": asked.prevalence, "views": view}
    summary = summarise(found, rule, prior, target, seed=asked.seed) | told
    context.folder.write_json("scores.json", summary)
    for metric in ("auroc", "auprc"):
        context.progress.say(
            f"test {metric.upper()} {Estimate(**_defined(summary['parts']['test']['metrics'][metric]))}"
        )
    for point in summary.get("operating_points", ()):
        if point["rule"] == "accuracy":
            context.progress.say(
                f"test accuracy {Estimate(**_defined(point['accuracy']))} from a probability of {brief(point['threshold'])} on,"
                " where validation expects the fewest errors"
            )
    return ["predictions.parquet", "scores.json", *labels]


def _defined(figures: dict[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else value for name, value in figures.items()}


def summarise(
    found: dict[str, Predictions], rule: str | None, prior: Any, target: Any = None, *, seed: int = 0
) -> dict[str, Any]:
    """What scores.json tells of the predictions of the validation and the test part.

    `rule` chooses the threshold on validation (None with more than two classes), for the shares that the probabilities
    are at; `prior` (K,) holds those of the training part, `target` (K,) those to score at, None for those of the cases.
    """
    test = found["test"]
    at = prior if target is None else target
    threshold = None if rule is None else choose_threshold(found["validation"], rule, at)
    options = {"seed": seed, "prior": at, "prevalence": target}
    summary: dict[str, Any] = {
        "classes": test.classes, "positive": test.positive, "threshold": threshold, "threshold_rule": rule,
        "parts": {name: _part(score(each, threshold, resamples=RESAMPLES, **options)) for name, each in found.items()},
    }  # fmt: skip
    options["resamples"] = BESIDE
    summary["decision_curve"] = _columns(decision_curve(test, prevalence=target, resamples=BESIDE))
    summary["patients"] = _patients(found, rule, at, options)
    groups = {name: test.table[name].drop_nulls().n_unique() for name in GROUPS if name in test.table.columns}
    summary["groups"] = {
        column: {name: _part(scores) for name, scores in by_group(test, column, threshold, **options).items()}
        for column, different in groups.items()
        if different > 1
    }
    if rule is not None:
        summary["operating_points"] = [
            _operating_point(found, each, at, options) for each in dict.fromkeys((rule, *POINTS))
        ]
    return summary


def _part(scores: Scores) -> dict[str, Any]:
    """The scores of a part or a group as JSON; the counts are those of the confusion matrix's rows."""
    counts = dict(zip(scores.classes, scores.confusion.sum(axis=1).tolist(), strict=True))
    metrics = {name: _estimate(estimate) for name, estimate in scores.estimates.items()}
    return {
        "cases": scores.cases, "patients": scores.patients, "counts": counts, "confusion": scores.confusion.tolist(),
        "metrics": metrics,
    }  # fmt: skip


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in vars(estimate).items()}


def _columns(table: pl.DataFrame) -> dict[str, list[float | None]]:
    return {name: table[name].fill_nan(None).to_list() for name in table.columns}


def _patients(
    found: dict[str, Predictions], rule: str | None, at: Any, options: dict[str, Any]
) -> dict[str, Any] | None:
    """The test part with patients in place of images; None where every patient has one image, or labels disagree."""
    if int(found["test"].patients.max()) + 1 == found["test"].table.height:
        return None
    with suppress(DataError):  # images of one patient that carry different classes of many
        validation, test = (per_patient(found[name]) for name in ("validation", "test"))
        threshold = None if rule is None else choose_threshold(validation, rule, at)
        return _part(score(test, threshold, **options)) | {"threshold": threshold}
    return None


def _operating_point(found: dict[str, Predictions], rule: str, at: Any, options: dict[str, Any]) -> dict[str, Any]:
    """What a rule chooses on validation, and what comes of it on test."""
    threshold = choose_threshold(found["validation"], rule, at)
    scores = score(found["test"], threshold, **options)
    rates = {name: _estimate(scores.estimates[name]) for name in RATES}
    return {"rule": rule, "threshold": threshold, "confusion": scores.confusion.tolist(), **rates}
