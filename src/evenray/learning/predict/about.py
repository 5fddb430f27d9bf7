"""What a model needs beside its weights to answer for a file: it travels in ONNX metadata, or beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from evenray.core.artefacts import Record, file_digest
from evenray.core.artefacts.model import ModelRecord
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.artefacts.uncertainty import UncertaintyRecord
from evenray.images.contrast import add_references
from evenray.images.histogram import Histogram
from evenray.learning.plan import kept_side
from evenray.learning.tasks import Task, task_of
from evenray.learning.tta import largest_scale
from evenray.metrics import Calibration
from evenray.metrics.measuring import Cut

from .calling import Calling
from .decision import Decision
from .preparation import Preparation

__all__ = ["About", "FindingPoint"]


class _Side(Record):
    """The field that tells an exported model.json from that of a run."""

    model_config = ConfigDict(extra="ignore")

    file: ClassVar[str] = ModelRecord.file

    side: int | None = None


class FindingPoint(BaseModel):
    """How one finding is called; see `About`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    calibration: Calibration
    threshold: float | None
    rule: str | None


class About(ModelRecord):
    """Everything between pixels and a decision but the network itself.

    `prevalence` are the class shares (K,) that probabilities and `threshold` are for, where those are not the training
    part's. `side` is that of the images which the graph takes, `size` that of the network; they differ under a view that
    looks closer. `weights` is the digest of the run's model.safetensors. Of findings, `points` has the calibration and the
    threshold of each, and `prevalence` the share that has each. `sets` has for each question from which uncalibrated probability
    on a class belongs to the set that promises `coverage` (None where it is refused; none at all of a run without sets); of
    `ordered` classes sets have no gaps.
    """

    side: int
    view: str
    calibration: Calibration
    threshold: float | None
    rule: str | None
    prevalence: tuple[float, ...] | None
    weights: str = ""
    points: tuple[FindingPoint, ...] = ()
    coverage: float | None = None
    sets: tuple[tuple[float, ...] | None, ...] = ()
    ordered: bool = False

    def model_post_init(self, _: object) -> None:
        add_references(self.preparation.references)  # a data set may be prepared by `contrast` too

    @classmethod
    def of_run(cls, folder: Path) -> About:
        """Of a run folder: model.json, and scores.json for the calibration, the view and the operating point; of a folder with
        exported weights: model.json alone.
        """
        if _Side.read(folder).side is not None:
            path = folder / cls.file
            return cls.parsed(path.read_bytes(), path, "export it anew with 'evenray export RUN'")
        model, scores = ModelRecord.read(folder), ScoresRecord.read(folder)
        view = scores.tta or "centre"
        sets = UncertaintyRecord.read(folder) if (folder / UncertaintyRecord.file).is_file() else None
        found = cls(
            **dict(model), view=view, threshold=scores.threshold, rule=scores.threshold_rule,
            side=model.image_side or kept_side(
                model.network.size, model.native, largest_scale(view, model.network.scale_jitter)
            ),
            calibration=Calibration(scores.calibration.method, scores.calibration.parameters),
            prevalence=None, weights=file_digest(folder / "model.safetensors"),
            points=tuple(
                FindingPoint(
                    calibration=Calibration(one.calibration.method, one.calibration.parameters),
                    threshold=one.threshold, rule=one.threshold_rule,
                )
                for one in scores.findings.values()
            ),
            coverage=sets.coverage if sets else None, ordered=scores.ordered,
            sets=tuple(map(sets.least, sets.questions)) if sets else (),
        )  # fmt: skip
        target = found._task.target(scores.prevalence, model.classes, model.positive)
        asked = zip(found.decisions, target, strict=True)  # the thresholds were chosen for the prevalence
        return found._with([replace(one, prevalence=shares) for one, shares in asked])

    @property
    def preparation(self) -> Preparation:
        """How files become the pixels that the network takes."""
        return Preparation(
            self.contrast, self.side, self.channels, self.scale, self.value_range, self.training_images is not None,
            {name: Histogram.of_json(found.model_dump()) for name, found in self.references.items()},
        )  # fmt: skip

    @property
    def size(self) -> int:
        return self.network.size

    @property
    def channels(self) -> int:
        return self.network.channels

    @property
    def windowed(self) -> bool:
        """Whether the network marks images that are larger than it, and looks at windows of them."""
        return self.task in ("segment", "detect") and self.side > self.size

    @property
    def graph_side(self) -> int:
        """The side of what an exported graph takes: windows, or whole images."""
        return self.size if self.windowed else self.side

    @property
    def _task(self) -> Task:
        return task_of(self.task)

    @property
    def class_prior(self) -> NDArray[np.float64]:
        """The class shares of the training part, float64 (K,)."""
        return np.array(self.prior)

    @property
    def given(self) -> NDArray[np.float64]:
        """The class shares that the probabilities are for, float64 (K,)."""
        return np.array(self.prior if self.prevalence is None else self.prevalence)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """How each question is answered: one of classes, one a finding."""
        questions = self._task.questions(self)
        if not self.points:
            shares = None if self.prevalence is None else self.given
            return (Decision(questions[0], self.calibration, self.threshold, self.rule, shares),)
        shares_of = (
            [None] * len(questions) if self.prevalence is None else [np.array([1 - p, p]) for p in self.prevalence]
        )
        return tuple(
            Decision(question, point.calibration, point.threshold, point.rule, at)
            for question, point, at in zip(questions, self.points, shares_of, strict=True)
        )

    @property
    def cuts(self) -> Cut:
        """The thresholds as metrics take them."""
        return [point.threshold for point in self.points] or self.threshold

    def _with(self, decisions: list[Decision]) -> About:
        """The same model with other thresholds and shares."""
        if all(one.prevalence is None for one in decisions):
            return self
        if not self.points:
            (one,) = decisions
            return self.model_copy(update={"prevalence": tuple(one.given.tolist()), "threshold": one.threshold})
        each = zip(self.points, decisions, strict=True)
        points = tuple(point.model_copy(update={"threshold": one.threshold}) for point, one in each)
        return self.model_copy(update={"prevalence": tuple(float(one.given[1]) for one in decisions), "points": points})

    def at(self, prevalence: float | Mapping[str, float] | None) -> About:
        """The same model where the classes have other shares; see docs/guides/deploying.md for what that does to the threshold."""
        target = self._task.target(prevalence, self.classes, self.positive)
        return self._with([one.at(shares) for one, shares in zip(self.decisions, target, strict=True)])

    def probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Corrected and calibrated probabilities at `given`, float64 (N, K), as `predictions` has them."""
        decisions = self.decisions
        return self._task.probabilities(
            [one.question for one in decisions], logits, [one.calibration for one in decisions],
            [one.prevalence for one in decisions],
        )  # fmt: skip

    def uncalibrated(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """The network's own probabilities, corrected for the remedy alone, float64 (N, K): what sets go by."""
        questions = [one.question for one in self.decisions]
        anywhere = [None] * len(questions)
        return self._task.probabilities(questions, logits, anywhere, anywhere)

    @property
    def calling(self) -> Calling:
        """How pixels are called."""
        decisions = self.decisions
        return Calling.of(
            [one.question for one in decisions], [one.calibration for one in decisions],
            [1.0 if one.threshold is None else one.threshold for one in decisions],
        )  # fmt: skip

    def answers(self, probabilities: NDArray[np.float64]) -> list[pl.Series]:
        """What is called of each image, and from which probability on: decision and threshold, or those of each finding as
        decision_NAME and threshold_NAME."""
        found: list[pl.Series] = []
        for k, one in enumerate(self.decisions):
            ending = f"_{one.question.name}" if self.points else ""
            p_k = probabilities[:, k]
            own = np.column_stack([1 - p_k, p_k]) if self.points else probabilities
            thresholds = [one.threshold] * len(probabilities)
            found.append(pl.Series(f"decision{ending}", one.called(own), pl.String))
            found.append(pl.Series(f"threshold{ending}", thresholds, pl.Float64))
        return found
