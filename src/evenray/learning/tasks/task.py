"""What a task has to answer: from the targets of the training part to what is told of the test part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.artefacts.model import ModelRecord, TrainingCounts
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset, Predictions
from evenray.learning.balance import Balance
from evenray.learning.networks.output import Output
from evenray.metrics import Calibration
from evenray.metrics.measuring import Cut
from evenray.metrics.measuring import Prevalence as Prevalences

from .question import Question, Target

__all__ = ["Asked", "Notable", "OfImages", "Remedy", "Task", "Usual"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Prevalence = float | Mapping[str, float] | None
Loss = Callable[[Tensor, Tensor, float], Tensor]  # of outputs, of what is true, of the progress through training


@dataclass(frozen=True)
class Remedy:
    """A remedy for imbalance, made for a training part: `balance` trains (its targets are those of the task), `questions`
    lead from logits to probabilities, and `counts` are what they were made from. `plain` says that training is as without."""

    balance: Balance
    questions: tuple[Question, ...]
    counts: TrainingCounts
    plain: bool


@dataclass(frozen=True)
class Notable:
    """A test case worth explaining: the output that is looked at, what was said with which probability, and what is true.

    `finding` is what is absent or present, "" where a case has one class; `called` is "" where of masks or boxes nothing was.
    """

    case: str
    output: int
    finding: str
    label: str
    called: str
    probability: float
    mistake: bool


@dataclass(frozen=True)
class Usual:
    """The settings of a task where the recipe leaves them open: remedies to compare, the rule for the operating
    point, and how attribution is made."""

    balance: tuple[str, ...]
    threshold: str
    attribution: str = "gradcam"


@dataclass(frozen=True)
class Asked:
    """What a question was told and what is true: logits (N, K) and classes (N,); of masks each row stands for as many pixels as
    `weights` say. `images` counts those behind each class."""

    logits: Floats
    classes: Ints
    images: Ints
    weights: Floats | None = None


class Task(Protocol):
    """Targets are int64: (n,) classes, or (n, K) which classes each case has (1 present, 0 absent, -1 unknown). What a network `told`
    of cases is what `Examples.told` keeps: logits, float64 (n, K), of classes and findings.

    `gained` is the figure that is above 0 where anything was learnt, None where that is an AUROC above .5. `keeps_features` says
    that what a frozen trunk makes of an image is small enough to keep. `usual` is what settings are that the recipe leaves open.
    `draws` says that predictions are measured once more as masks in the files' own pixels. `shown` are the figures that are told
    first.
    `ranks_by` is the figure of the validation part that epochs are ranked by, beside it its standard error with `_error` at the
    end; `compared` are the figures of a comparison, the first of which ranks cells.
    """

    output: Output
    ranks_by: str
    compared: tuple[str, ...]
    gained: str | None
    keeps_features: bool
    usual: Usual
    draws: bool
    shown: tuple[str, ...]

    def outputs(self, classes: tuple[str, ...]) -> int:
        """How many classes the network tells apart."""

    def targets(self, dataset: Dataset) -> Ints:
        """What remedies and samplers go by, a row a case."""

    def loss(self, balance: Balance, summed: Callable[[Tensor], Tensor]) -> Loss:
        """What is lost by the outputs of a batch; `summed` adds a tensor up over the processes that share one."""

    def remedy(self, spec: str, targets: Ints, classes: tuple[str, ...], positive: str, *, epochs: int = 10) -> Remedy:
        """The remedy of a spec for a training part of these targets."""

    def shares(self, remedy: Remedy) -> tuple[float, ...]:
        """The share of each class in the training part; of each finding, among those of whom it is known."""

    def questions(self, model: ModelRecord) -> tuple[Question, ...]:
        """Those of `remedy`, from what model.json keeps."""

    def asked(self, told: NDArray[Any], targets: Ints) -> Iterator[Asked]:
        """For each question its own logits and what is true, where it is known."""

    def target(self, prevalence: Prevalence, classes: tuple[str, ...], positive: str) -> Target:
        """The class shares of the place of use, one entry a question."""

    def probabilities(
        self,
        questions: Sequence[Question],
        told: NDArray[Any],
        calibrations: Sequence[Calibration | None],
        target: Target,
    ) -> Floats:
        """Float64 (N, K), one column an output of the network; of masks (K, bins), those that bins of log-odds stand for."""

    def predictions(self, dataset: Dataset, told: NDArray[Any], probabilities: Floats) -> Predictions:
        """The table that metrics and pages work from."""

    def validation_metrics(self, told: NDArray[Any], targets: Ints) -> dict[str, float]:
        """validation_loss, and the figures that epochs are looked at by, `ranks_by` among them."""

    def summarise(
        self, found: Mapping[str, Predictions], rule: str, own_rule: str | None, questions: Sequence[Question],
        target: Target, *, ordered: bool = False, patient_score: Literal["mean", "max"] = "mean",
        refused: Collection[str] = (), seed: int = 0,
    ) -> ScoresRecord:  # fmt: skip
        """What scores.json tells of the validation and test parts; `rule` chooses thresholds, `own_rule` is the remedy's;
        `refused` are findings for which it was refused before."""

    def thresholds(self, scores: ScoresRecord) -> Cut:
        """The thresholds that were chosen, as metrics take them."""

    def scored_at(self, target: Target) -> Prevalences:
        """The shares of the place of use, as metrics take them."""

    def check(self, recipe: Recipe, classes: tuple[str, ...], positive: str) -> None:
        """UsageError where the recipe names classes that there are not, or asks for what the task does not have."""

    def cuts(self, validation: Predictions, rule: str) -> list[float]:
        """The thresholds that a rule chooses, one a question."""


class OfImages(Task, Protocol):
    """A task whose labels are about whole images, so that a place in an image can be asked what it did for one."""

    def notable(self, test: Predictions, scores: ScoresRecord) -> list[Notable]:
        """The most confident mistakes, and a few hits."""
