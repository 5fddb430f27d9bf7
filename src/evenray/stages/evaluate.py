"""The stage evaluate: calibration and threshold are chosen on the validation part, and the test part is opened, here alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.drawn import DrawnMasks
from evenray.core.artefacts.explained import Gallery
from evenray.core.artefacts.plan import Planned
from evenray.core.artefacts.scores import BaselineScores, CalibrationRecord, Figure, Gap, ScoresRecord
from evenray.core.findings import Finding
from evenray.core.recipe import EvaluateSettings
from evenray.core.types import Dataset, Predictions
from evenray.data.audit import label_errors
from evenray.learning import networks
from evenray.learning.baselines import baselines
from evenray.learning.plan.training import ENOUGH_TO_CHOOSE
from evenray.learning.predict.calling import Calling
from evenray.learning.tasks import Remedy, Task, fitted, task_of
from evenray.learning.tasks.question import Target
from evenray.learning.train import forward
from evenray.learning.tta import largest_scale
from evenray.metrics import Calibration, Spread, calibrate, compare_spreads, measured_by_task

from .artefacts import CHOICE, LABEL_ERRORS, MASKS, NETWORK, OUT_OF_FOLD, PLANNED, PREDICTIONS, SCORES, SPLIT_CASES
from .measuring import called_masks, in_own_pixels, watched_masks
from .preparing import parts_of, remedy_of
from .stage import artefact
from .tools import Tools
from .trunk_features import trunk_features

__all__ = ["EvaluateInputs", "EvaluateOutputs", "evaluate"]

NONE = Calibration("none", {})
RESAMPLES = 1000  # of the simple models
SHOWN = ("auroc", "auprc")


@dataclass(frozen=True)
class EvaluateInputs:
    cases: Dataset = artefact(SPLIT_CASES)
    planned: Planned = artefact(PLANNED)
    choice: Choice = artefact(CHOICE)
    out_of_fold: pl.DataFrame | None = artefact(OUT_OF_FOLD)
    network: networks.Classifier = artefact(NETWORK)


@dataclass(frozen=True)
class EvaluateOutputs:
    predictions: Predictions = artefact(PREDICTIONS)
    scores: ScoresRecord = artefact(SCORES)
    label_errors: list[Finding] = artefact(LABEL_ERRORS)
    masks: Gallery[DrawnMasks] | None = artefact(MASKS)


def evaluate(inputs: EvaluateInputs, settings: EvaluateSettings, tools: Tools) -> EvaluateOutputs:
    """Probabilities of the validation and test parts, the operating point, and everything that is told of them."""
    dataset, plan, events = inputs.cases, inputs.planned.plan, tools.events
    task, facts, asked = task_of(dataset.facts.task), dataset.facts, settings.threshold is not None
    settings = fitted(settings, facts.task)
    remedy = remedy_of(dataset, plan, inputs.choice)
    target = task.target(settings.prevalence, dataset.classes, dataset.positive)
    model = inputs.network.to(tools.machine.device)
    tta = settings.tta or plan.tta
    tools.open_test()
    calibrations, found = [NONE] * len(remedy.questions), dict[str, Predictions]()
    furthest = largest_scale(tta, model.description.scale_jitter)
    parts = parts_of(tools, dataset, plan, inputs.choice.contrast, ("validation", "test"), furthest)
    with events.task("task.evaluate", sum(len(part) for _, part in parts.values())) as tick:
        for name, (cases, part) in parts.items():
            told = forward(model, part, plan.batch, tools.machine, lambda: tick(plan.batch), tta=tta)
            if name == "validation":
                calibrations = _calibrations(task, remedy, told, task.targets(cases), settings, tools)
            p = task.probabilities(remedy.questions, told, calibrations, target)
            found[name] = task.predictions(cases, told, p)
    own = None if asked else remedy.balance.rule
    masks = None
    if task.draws:
        calling = Calling.of(
            remedy.questions, calibrations, task.cuts(found["validation"], own or settings.threshold or "")
        )
        with events.task("task.masks", sum(len(part) for _, part in parts.values())) as tick:
            for name, (cases, part) in parts.items():
                drawn = watched_masks(called_masks(model, cases, part, calling, tools, plan.batch, tta), tick)
                found[name], masks = in_own_pixels(dataset, cases, found[name], drawn)
    whole = replace(found["test"], table=pl.concat([each.table for each in found.values()]))
    scores = task.summarise(
        found, settings.threshold or "", own, remedy.questions, target, ordered=facts.ordered,
        patient_score=settings.patient_score, seed=settings.seed,
    )  # fmt: skip
    scores = scores.with_calibrations([CalibrationRecord(**each.as_json()) for each in calibrations])
    whole_images = facts.task in OF_IMAGES
    simple = (
        _baselines(dataset, found["test"], scores, task, target, settings.seed, plan.channels, tools)
        if whole_images
        else ()
    )
    scores = scores.model_copy(update={"prevalence": settings.prevalence, "tta": tta, "baselines": simple})
    _tell(scores, task.shown, tools)
    return EvaluateOutputs(whole, scores, _label_errors(inputs.out_of_fold, whole) if whole_images else [], masks)


def _calibrations(
    task: Task, remedy: Remedy, told: NDArray[Any], targets: NDArray[np.int64], settings: EvaluateSettings, tools: Tools
) -> list[Calibration]:
    """The calibration of every question that enough validation cases answer; the others stay as they are."""
    found, few = [], []
    for question, own in zip(remedy.questions, task.asked(told, targets), strict=True):
        fewest = int(own.images.min())
        if fewest >= ENOUGH_TO_CHOOSE:
            corrected = question.balance.correct(own.logits, question.prior)
            found.append(calibrate(corrected, own.classes, settings.calibration, question.prior, own.weights))
        else:
            found.append(NONE)
            few.append(fewest)
    if few and settings.calibration not in ("none", EvaluateSettings().calibration):
        tools.events.tell(
            "evaluate.not_calibrated", "warning", count=min(few), method=settings.calibration, needed=ENOUGH_TO_CHOOSE
        )
    return found


def _baselines(
    dataset: Dataset, test: Predictions, scores: ScoresRecord, task: Task, target: Target, seed: int, channels: int,
    tools: Tools,
) -> tuple[BaselineScores, ...]:  # fmt: skip
    """The simple models beside the network, on the same test cases and resamples; of findings the means over them."""
    if "test" not in scores.parts:
        return ()
    trunk = trunk_features(dataset, test.table["case"].to_list(), channels, seed, tools)
    if not (simple := baselines(dataset, test, target, seed=seed, trunk=trunk)):
        return ()
    at, usual = task.scored_at(target), scores.parts["test"].metrics
    measured = {
        name: measured_by_task(each, prevalence=at, seed=seed, resamples=RESAMPLES)
        for name, each in {"network": test, **simple}.items()
    }
    rows = {}
    for metric in SHOWN:
        spreads = {name: Spread.of([figures[metric]]) for name, figures in measured.items()}
        rows[metric] = {row["model"]: row for row in compare_spreads(spreads, metric, seed=seed).iter_rows(named=True)}

    def figure(metric: str, row: dict[str, float]) -> Figure:
        return Figure(value=row["value"], low=row["low"], high=row["high"], baseline=usual[metric].baseline)

    def gap(row: dict[str, float]) -> Gap:
        return Gap(value=-row["difference"], low=-row["difference_high"], high=-row["difference_low"], p=row["p"])

    return tuple(
        BaselineScores(
            name=name,
            metrics={metric: figure(metric, rows[metric][name]) for metric in SHOWN},
            network_ahead={metric: gap(rows[metric][name]) for metric in SHOWN},
        )
        for name in simple
    )


def _tell(scores: ScoresRecord, shown: tuple[str, ...], tools: Tools) -> None:
    metrics = scores.parts["test"].metrics
    for metric in (name for name in (*shown, "weighted_kappa") if name in metrics):
        tools.events.tell("evaluate.test", metric=metric, figure=vars(metrics[metric]))
    for simple in scores.baselines:
        ahead = simple.network_ahead["auroc"]
        tools.events.tell(
            "evaluate.baseline", simple=simple.name, figure=vars(simple.metrics["auroc"]), ahead=ahead.value, low=ahead.low,
            high=ahead.high,
        )  # fmt: skip
    for point in scores.operating_points:
        if point.rule == "accuracy":
            tools.events.tell("evaluate.accuracy", figure=vars(point.accuracy), threshold=point.threshold)


def _label_errors(out_of_fold: pl.DataFrame | None, evaluated: Predictions) -> list[Finding]:
    """Likely label errors, each case predicted by a model that was not trained on it.

    The comparison has predicted the training and validation parts out of fold; the trained network has predicted the test
    part, and the validation part where nothing was compared.
    """
    predicted = {"trained": evaluated}
    if out_of_fold is not None:
        compared = replace(evaluated, table=out_of_fold)
        predicted = {"out_of_fold": compared, "trained": evaluated.part("test")}
    return [
        replace(finding, evidence={**finding.evidence, "predicted_by": who})
        for who, table in predicted.items()
        for finding in label_errors(table)
    ]
