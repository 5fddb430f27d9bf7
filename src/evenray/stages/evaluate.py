"""The stage evaluate: calibration and threshold are chosen on the validation part, and the test part is opened, here alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.plan import Planned
from evenray.core.artefacts.scores import (
    BaselineScores,
    CalibrationRecord,
    Figure,
    Gap,
    OperatingPoint,
    PartScores,
    ScoresRecord,
)  # fmt: skip
from evenray.core.errors import DataError
from evenray.core.findings import Finding
from evenray.core.recipe import EvaluateSettings
from evenray.core.spec import Step
from evenray.core.types import Dataset, Predictions
from evenray.data.audit import label_errors
from evenray.learning import networks
from evenray.learning.baselines import baselines
from evenray.learning.plan.training import ENOUGH_TO_CHOOSE
from evenray.learning.predict import GROUPS, predictions, target_prior
from evenray.learning.train import forward
from evenray.learning.tta import largest_scale
from evenray.metrics import (
    Calibration,
    by_group,
    calibrate,
    calibration_by_class,
    choose_threshold,
    compare_models,
    decision_curve,
    per_patient,
    score,
    threshold_spread,
)
from evenray.metrics.intervals import percentile_interval
from evenray.metrics.operating import LOOKING_AT_NO_CASE

from .artefacts import CHOICE, LABEL_ERRORS, NETWORK, OUT_OF_FOLD, PLANNED, PREDICTIONS, SCORES, SPLIT_CASES
from .preparing import parts_of, remedy_of
from .stage import artefact
from .tools import Tools

__all__ = ["EvaluateInputs", "EvaluateOutputs", "evaluate", "summarise"]

RESAMPLES = 2000
BESIDE = 1000  # for the tables beside the main one
POINTS = ("youden", "accuracy", "sensitivity(0.95)", "specificity(0.95)", "net_benefit(at=0.1)", "prevalence")
SPREAD = 200  # resamples of the validation part, for the spread of a threshold
SHOWN = ("auroc", "auprc")
RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
Floats = NDArray[np.float64]


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


def evaluate(inputs: EvaluateInputs, settings: EvaluateSettings, tools: Tools) -> EvaluateOutputs:
    """Probabilities of the validation and test parts, the operating point, and everything that is told of them."""
    dataset, plan, events = inputs.cases, inputs.planned.plan, tools.events
    remedy, prior = remedy_of(dataset, plan, inputs.choice)
    target = target_prior(settings.prevalence, dataset.classes, dataset.positive)
    model = inputs.network.to(tools.machine.device)
    tta = settings.tta or plan.tta
    tools.open_test()
    calibration, found = Calibration("none", {}), dict[str, Predictions]()
    furthest = largest_scale(tta, model.description.scale_jitter)
    parts = parts_of(tools, dataset, plan, inputs.choice.contrast, ("validation", "test"), furthest)
    with events.task("task.evaluate", sum(len(part) for _, part in parts.values())) as tick:
        for name, (cases, part) in parts.items():
            logits = forward(model, part, plan.batch, tools.machine, lambda: tick(plan.batch), tta=tta)
            if name == "validation":
                fewest = min(cases.counts.values())
                if fewest >= ENOUGH_TO_CHOOSE:
                    calibration = calibrate(remedy.correct(logits, prior), cases.targets, settings.calibration, prior)
                elif settings.calibration not in ("none", EvaluateSettings().calibration):
                    events.tell(
                        "evaluate.not_calibrated",
                        "warning",
                        count=fewest,
                        method=settings.calibration,
                        needed=ENOUGH_TO_CHOOSE,
                    )
            found[name] = predictions(cases, logits, remedy, prior, calibration, target)
    whole = Predictions(pl.concat([each.table for each in found.values()]), dataset.classes, dataset.positive)
    rule = None
    if len(dataset.classes) == 2:
        asked = settings.threshold != EvaluateSettings().threshold
        rule = settings.threshold if asked or remedy.rule is None else remedy.rule
    scores = summarise(
        found, rule, prior, target, patient_score=settings.patient_score, seed=settings.seed
    ).model_copy(
        update={
            "calibration": CalibrationRecord(**calibration.as_json()), "prevalence": settings.prevalence, "tta": tta,
            "baselines": _baselines(dataset, found["test"], prior, target, settings.seed),
        }
    )  # fmt: skip
    _tell(scores, tools)
    return EvaluateOutputs(whole, scores, _label_errors(inputs.out_of_fold, whole))


def _baselines(
    dataset: Dataset, test: Predictions, prior: Floats, target: Floats | None, seed: int
) -> tuple[BaselineScores, ...]:
    """The simple models beside the network, on the same test cases and resamples."""
    simple = baselines(dataset, test, target, seed=seed)
    if not simple or test.table.is_empty():
        return ()
    models, scores = {"network": test, **simple}, {}
    for metric in SHOWN:
        table = compare_models(models, metric, prevalence=target, seed=seed, resamples=BESIDE)
        scores[metric] = {row["model"]: row for row in table.iter_rows(named=True)}
    usual = score(test, None, resamples=0, prior=prior if target is None else target, prevalence=target).estimates

    def figure(metric: str, row: dict[str, float]) -> Figure:
        return Figure(value=row["value"], low=row["low"], high=row["high"], baseline=usual[metric].baseline)

    def gap(row: dict[str, float]) -> Gap:
        return Gap(value=-row["difference"], low=-row["difference_high"], high=-row["difference_low"], p=row["p"])

    return tuple(
        BaselineScores(
            name=name,
            metrics={metric: figure(metric, scores[metric][name]) for metric in SHOWN},
            network_ahead={metric: gap(scores[metric][name]) for metric in SHOWN},
        )
        for name in simple
    )


def _tell(scores: ScoresRecord, tools: Tools) -> None:
    for metric in ("auroc", "auprc"):
        tools.events.tell("evaluate.test", metric=metric, figure=vars(scores.parts["test"].metrics[metric]))
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
        compared = Predictions(out_of_fold, evaluated.classes, evaluated.positive)
        predicted = {"out_of_fold": compared, "trained": evaluated.part("test")}
    return [
        replace(finding, evidence={**finding.evidence, "predicted_by": who})
        for who, table in predicted.items()
        for finding in label_errors(table)
    ]


def summarise(
    found: dict[str, Predictions], rule: str | None, prior: Floats, target: Floats | None = None,
    *, patient_score: Literal["mean", "max"] = "mean", seed: int = 0,
) -> ScoresRecord:  # fmt: skip
    """What scores.json tells of the predictions of the validation and the test part, without a calibration.

    `rule` chooses the threshold on validation (None with more than two classes), for the shares that the probabilities
    are at; `prior` (K,) holds those of the training part, `target` (K,) those to score at, None for those of the cases.
    """
    test, at = found["test"], prior if target is None else target
    threshold = None if rule is None else choose_threshold(found["validation"], rule, at)

    def scored(predicted: Predictions, threshold: float | None, resamples: int = BESIDE) -> PartScores:
        return PartScores.of(score(predicted, threshold, resamples=resamples, seed=seed, prior=at, prevalence=target))

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
        classes=test.classes, positive=test.positive, threshold=threshold, threshold_rule=rule,
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


def _ranges(found: dict[str, Predictions], rule: str, at: Floats, seed: int) -> dict[str, tuple[float, float]]:
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
    found: dict[str, Predictions], rule: str | None, at: Floats, target: Floats | None, how: Literal["mean", "max"],
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
