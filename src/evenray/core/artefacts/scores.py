"""scores.json: what came of a network on its validation and test parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evenray.core.annotations import OF_IMAGES, Task
from evenray.core.types import Estimate, Scores

from .record import Number, Record

__all__ = [
    "BaselineScores", "CalibrationRecord", "Figure", "Gap", "OperatingPoint", "PartScores", "ScoresRecord",
]  # fmt: skip

_CURVE = (
    "at", "net_benefit", "low", "high", "treat_all", "treat_none", "over_all", "over_all_low", "over_all_high",
)  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Figure(_Part):
    """A figure with its 95 % interval and that of the majority-class baseline; NaN where one is not defined."""

    value: Number
    low: Number
    high: Number
    baseline: Number

    @classmethod
    def of(cls, estimate: Estimate) -> Figure:
        return cls(**vars(estimate))

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.value, self.low, self.high, self.baseline)


class PartScores(_Part):
    """The scores of a part or a group; `counts` are the cases a class, the sums of the confusion matrix's rows;
    of findings, of which there is no one matrix, the cases that have each."""

    cases: int
    patients: int
    counts: dict[str, int]
    confusion: list[list[int]]
    metrics: dict[str, Figure]
    threshold: float | None = None

    @classmethod
    def of(cls, scores: Scores, *, threshold: float | None = None) -> PartScores:
        """`threshold` where it is another one than that of the run."""
        return cls(
            cases=scores.cases, patients=scores.patients, confusion=scores.confusion.tolist(), threshold=threshold,
            counts=dict(zip(scores.classes, scores.confusion.sum(axis=1).tolist(), strict=bool(scores.confusion.size))),
            metrics={name: Figure.of(estimate) for name, estimate in scores.estimates.items()},
        )  # fmt: skip


class OperatingPoint(_Part):
    """What a rule chose on the validation part, and what came of it on the test part.

    The intervals of the rates are those of the test part at this threshold. `threshold_range` is where 95 % of the thresholds
    lie that the rule chooses on resamples of the validation part, `sensitivity_range` and `specificity_range` the rates on the
    test part at these; None where the rule looks at no case.
    """

    rule: str
    threshold: float
    confusion: list[list[int]]
    accuracy: Figure
    sensitivity: Figure
    specificity: Figure
    ppv: Figure
    npv: Figure
    threshold_range: tuple[float, float] | None = None
    sensitivity_range: tuple[float, float] | None = None
    specificity_range: tuple[float, float] | None = None


class Gap(_Part):
    """How far the network lies above a simple model in one figure on the same cases, with its 95 % interval and p."""

    value: Number
    low: Number
    high: Number
    p: Number


class BaselineScores(_Part):
    """A simple model's figures on the test part, and the paired differences of the network's to them.

    `weights` are those of a frozen trunk that it uses; it learnt from so many training cases as were `drawn`, None for all.
    """

    name: str
    metrics: dict[str, Figure]
    network_ahead: dict[str, Gap]
    weights: str | None = None
    drawn: int | None = None


class CalibrationRecord(_Part):
    """A fitted calibration by its method and parameters."""

    method: str
    parameters: dict[str, Any]


class ScoresRecord(Record):
    """Everything that is told of the probabilities.

    `patients` has patients in place of images, scored by the `patient_score` of their images; `calibration_by_class` tells of
    more than two classes how far the probabilities of each mean what they say. `refused_points` are rules whose promise the
    validation part has too few cases for; a finding of which the run's own rule is among them is called by the prevalence, a class of
    masks or boxes at 0.5.
    `baselines` are models that learn in seconds, on the same training and test cases.

    Of findings, `findings` has a record of each by itself (its classes are absent and present), and the parts have the
    means over those that are `averaged`: of which two patients or more have each answer.
    Of masks it has one of each class; `unit` is that of distances and areas, mm or px.
    """

    file: ClassVar[str] = "scores.json"

    version: int = 2
    task: Task = "classify"
    ordered: bool = False
    classes: tuple[str, ...]
    positive: str
    threshold: float | None
    threshold_rule: str | None
    calibration: CalibrationRecord
    prevalence: float | dict[str, float] | None
    tta: str | None
    parts: dict[str, PartScores]
    patients: PartScores | None
    patient_score: str = "mean"
    calibration_by_class: dict[str, dict[str, Figure]] = Field(default_factory=dict)
    groups: dict[str, dict[str, PartScores]]
    decision_curve: dict[str, list[float | None]]
    operating_points: tuple[OperatingPoint, ...] = ()
    refused_points: tuple[str, ...] = ()
    baselines: tuple[BaselineScores, ...] = ()
    findings: dict[str, ScoresRecord] = Field(default_factory=dict)
    averaged: tuple[str, ...] = ()
    unit: str = ""

    @field_validator("decision_curve")
    @classmethod
    def _has_columns(cls, curve: dict[str, list[float | None]]) -> dict[str, list[float | None]]:
        if curve and (set(curve) != set(_CURVE) or len({len(column) for column in curve.values()}) > 1):
            raise ValueError(f"needs the columns {', '.join(_CURVE)}, all of one length")
        return curve

    @model_validator(mode="after")
    def _have_areas(self) -> Self:
        for name, part in self.parts.items() if self.task in OF_IMAGES else ():
            if lacking := {"auroc", "auprc"} - set(part.metrics):
                raise ValueError(f"{name} has no {' and no '.join(sorted(lacking))}")
        return self

    @property
    def untold(self) -> list[str]:
        """The findings, or classes of masks or boxes, whose threshold the run's own rule could not choose."""
        return [name for name, record in self.findings.items() if self.threshold_rule in record.refused_points]

    def with_calibrations(self, fitted: Sequence[CalibrationRecord]) -> ScoresRecord:
        """The same with its calibration; of findings, one each."""
        if not self.findings:
            return self.model_copy(update={"calibration": fitted[0]})
        each = zip(self.findings.items(), fitted, strict=True)
        found = {name: record.model_copy(update={"calibration": one}) for (name, record), one in each}
        return self.model_copy(update={"findings": found})

    def with_thresholds(self, cuts: Sequence[float]) -> ScoresRecord:
        """The same with the threshold of each finding."""
        each = zip(self.findings.items(), cuts, strict=True)
        found = {name: record.model_copy(update={"threshold": cut}) for (name, record), cut in each}
        return self.model_copy(update={"findings": found})

    def part(self, name: str) -> Scores:
        """The scores of one part, with its figures as attributes."""
        part = self.parts[name]
        estimates = {metric: figure.estimate for metric, figure in part.metrics.items()}
        return Scores(
            estimates, self.threshold, np.array(part.confusion), self.classes, self.positive, part.cases, part.patients
        )
