"""The stage evaluate: calibration and threshold are chosen on the validation part, and the test part is opened, here alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.drawn import DrawnMasks
from evenray.core.artefacts.explained import Gallery
from evenray.core.artefacts.groups import GroupsRecord
from evenray.core.artefacts.plan import Planned
from evenray.core.artefacts.scores import BaselineScores, CalibrationRecord, Figure, Gap, ScoresRecord
from evenray.core.artefacts.uncertainty import UncertaintyRecord
from evenray.core.events import Events
from evenray.core.findings import Finding
from evenray.core.recipe import EvaluateSettings
from evenray.core.types import PARTS, Dataset, Predictions
from evenray.data.audit import label_errors
from evenray.learning import networks
from evenray.learning.baselines import TrunkFeatures
from evenray.learning.predict.calling import Calling, as_counted
from evenray.learning.tasks import Remedy, Task, fitted, task_of
from evenray.learning.tasks.repeats import called
from evenray.learning.train import forward
from evenray.learning.tta import largest_scale
from evenray.metrics import Calibration, Spread, compare_spreads, each_repeat, measured_by_task
from evenray.metrics.masks import threshold_rule
from evenray.metrics.measuring import Prevalence

from .artefacts import (
    CHOICE,
    GROUP_GAPS,
    LABEL_ERRORS,
    MASKS,
    NETWORK,
    OUT_OF_FOLD,
    OUTER_FOLDS,
    PLANNED,
    PREDICTIONS,
    SCORES,
    SPLIT_CASES,
    UNCERTAINTY,
)  # fmt: skip
from .calibrating import NONE, fitted_calibrations, uncalibrated
from .group_gaps import group_gaps, tell_gaps
from .held_out import averaged_over_repeats, held_out, simple_models
from .measuring import called_masks, in_own_pixels, watched_masks
from .preparing import parts_of, remedy_of
from .stage import artefact
from .tools import Tools
from .trunk_features import trunk_features
from .uncertainty import tell_sets, uncertainty

__all__ = ["EvaluateInputs", "EvaluateOutputs", "evaluate"]

RESAMPLES = 1000  # of the simple models
SHOWN = ("auroc", "auprc")


@dataclass(frozen=True)
class EvaluateInputs:
    cases: Dataset = artefact(SPLIT_CASES)
    planned: Planned = artefact(PLANNED)
    choice: Choice = artefact(CHOICE)
    out_of_fold: pl.DataFrame | None = artefact(OUT_OF_FOLD)
    outer_folds: pl.DataFrame | None = artefact(OUTER_FOLDS)
    network: networks.Classifier = artefact(NETWORK)


@dataclass(frozen=True)
class EvaluateOutputs:
    predictions: Predictions = artefact(PREDICTIONS)
    scores: ScoresRecord = artefact(SCORES)
    label_errors: list[Finding] = artefact(LABEL_ERRORS)
    masks: Gallery[DrawnMasks] | None = artefact(MASKS)
    uncertainty: UncertaintyRecord | None = artefact(UNCERTAINTY)
    groups: GroupsRecord | None = artefact(GROUP_GAPS)


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
    here = [None] * len(remedy.questions)  # the class shares of the training part, at which its labels are
    calibrations, found = [NONE] * len(remedy.questions), dict[str, Predictions]()
    plain, unmoved = dict[str, Predictions](), dict[str, Predictions]()
    furthest = largest_scale(tta, model.description.scale_jitter)
    names = ("validation", "test") if inputs.outer_folds is None else ("validation",)
    parts = parts_of(tools, dataset, plan.given, plan.channels, inputs.choice.contrast, names, furthest)
    with events.task("task.evaluate", sum(len(part) for _, part in parts.values())) as tick:
        for name, (cases, part) in parts.items():
            told = forward(model, part, plan.batch, tools.machine, lambda: tick(plan.batch), tta=tta)
            if name == "validation":
                calibrations = fitted_calibrations(task, remedy, told, task.targets(cases), settings, tools)
            p = task.probabilities(remedy.questions, told, calibrations, target)
            found[name] = task.predictions(cases, told, p)
            if facts.task in OF_IMAGES:
                plain[name] = found[name].with_probabilities(uncalibrated(task, remedy, told))
                unmoved[name] = task.predictions(
                    cases, told, task.probabilities(remedy.questions, told, calibrations, here)
                )
    if inputs.outer_folds is not None:

        def fit(task: Task, remedy: Remedy, told: NDArray[Any], targets: NDArray[np.int64]) -> list[Calibration]:
            return fitted_calibrations(task, remedy, told, targets, settings, replace(tools, events=Events()))

        found |= held_out(inputs.outer_folds, dataset, target, fit)
        plain, unmoved = {"test": found.pop("uncalibrated")}, {"test": found.pop("unmoved")}
    own = None if asked else remedy.balance.rule
    masks, cuts = None, list[float]()
    if task.draws:
        rule = own or settings.threshold or ""
        cuts = task.cuts(found["validation"], rule)
        if threshold_rule(rule)[0] != "at":
            cuts = as_counted(remedy.questions, calibrations, cuts)
        calling = Calling.of(remedy.questions, calibrations, cuts)
        with events.task("task.masks", sum(len(part) for _, part in parts.values())) as tick:
            for name, (cases, part) in parts.items():
                drawn = watched_masks(called_masks(model, cases, part, calling, tools, plan.batch, tta), tick)
                found[name], masks = in_own_pixels(dataset, cases, found[name], drawn)
    scores = task.summarise(
        found, settings.threshold or "", own, remedy.questions, target, ordered=facts.ordered,
        patient_score=settings.patient_score, seed=settings.seed,
    )  # fmt: skip
    scores = scores.with_calibrations([CalibrationRecord(**each.as_json()) for each in calibrations])
    scores = scores.with_thresholds(cuts) if task.draws else scores
    if inputs.outer_folds is not None:
        found["test"] = called(found, scores, target)
    whole = replace(found["test"], table=pl.concat([found[name].table for name in PARTS[1:]], how="diagonal"))
    at, beside = task.scored_at(target), tuple[BaselineScores, ...]()
    if facts.task in OF_IMAGES:
        shown = each_repeat(found["test"])[0].table["case"].to_list()
        trunk = trunk_features(dataset, shown, plan.channels, settings.seed, tools) if "test" in scores.parts else None
        simple = simple_models(inputs.outer_folds, dataset, found["test"], target, settings.seed, trunk)
        beside = _baselines(each_repeat(found["test"]), simple, scores, at, settings.seed, trunk)
    scores = scores.model_copy(update={"prevalence": settings.prevalence, "tta": tta, "baselines": beside})
    _tell(scores, task.shown, tools)
    doubt, gaps = None, None
    if facts.task in OF_IMAGES:
        gaps = group_gaps(found["test"], scores)
        doubt = uncertainty(
            plain, found["test"], scores, settings.coverage, epoch_chosen=plan.keep == "best", ordered=facts.ordered,
            seed=settings.seed,
        )  # fmt: skip
        tell_sets(doubt, tools.events)
        if gaps is not None:
            tell_gaps(gaps, tools.events)
    return EvaluateOutputs(whole, scores, _suspected(inputs, unmoved), masks, doubt, gaps)


def _suspected(inputs: EvaluateInputs, found: Mapping[str, Predictions]) -> list[Finding]:
    """Likely label errors, where labels are of whole images; `found` is at the class shares of the training part: at those of another
    place right labels look wrong."""
    if inputs.cases.facts.task not in OF_IMAGES:
        return []
    if inputs.outer_folds is not None:
        once = averaged_over_repeats(found["test"])
        return _label_errors(once.table, once.part(""))
    whole = replace(found["test"], table=pl.concat([found[name].table for name in PARTS[1:]], how="diagonal"))
    return _label_errors(inputs.out_of_fold, whole)


def _baselines(
    network: Sequence[Predictions],
    simple: Mapping[str, Sequence[Predictions]],
    scores: ScoresRecord,
    at: Prevalence,
    seed: int,
    trunk: TrunkFeatures | None,
) -> tuple[BaselineScores, ...]:
    """The simple models beside the network, on the same test cases and resamples; of findings the means over them.

    Of a cross-validation there are several sets of predictions each, and differences answer for their trainings too.
    """
    if "test" not in scores.parts or not simple:
        return ()
    usual = scores.parts["test"].metrics
    measured = {
        name: [measured_by_task(one, prevalence=at, seed=seed, resamples=RESAMPLES) for one in each]
        for name, each in {"network": network, **simple}.items()
    }
    rows = {}
    for metric in SHOWN:
        spreads = {name: Spread.of([figures[metric] for figures in each]) for name, each in measured.items()}
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
            weights=trunk.weights if trunk and name == "trunk" else None,
            drawn=trunk.drawn if trunk and name == "trunk" else None,
        )
        for name in simple
    )


def _tell(scores: ScoresRecord, shown: tuple[str, ...], tools: Tools) -> None:
    metrics = scores.parts["test"].metrics
    against = {"segment": "masks", "detect": "boxes"}.get(scores.task, "majority")
    for metric in (name for name in (*shown, "weighted_kappa") if name in metrics):
        tools.events.tell("evaluate.test", metric=metric, figure=vars(metrics[metric]) | {"against": against})
    for simple in scores.baselines:
        ahead = simple.network_ahead["auroc"]
        tools.events.tell(
            "evaluate.baseline" if ahead.low == ahead.low else "evaluate.baseline.no_interval", simple=simple.name,
            figure=vars(simple.metrics["auroc"]), ahead=ahead.value, low=ahead.low, high=ahead.high,
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
