"""What a task has to answer: from the targets of the training part to what is told of the test part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

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

__all__ = ["Notable", "Remedy", "Task"]

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

    `finding` is what is absent or present, "" where a case has one class.
    """

    case: str
    output: int
    finding: str
    label: str
    called: str
    probability: float
    mistake: bool


class Task(Protocol):
    """Targets are int64: (n,) classes, or (n, K) which classes each case has (1 present, 0 absent, -1 unknown). What a network `told`
    of cases is what `Examples.told` keeps: logits, float64 (n, K), of classes and findings.

    `ranks_by` is the figure of the validation part that epochs are ranked by, beside it its standard error with `_error` at the
    end; `compared` are the figures of a comparison, the first of which ranks cells.
    """

    output: Output
    ranks_by: str
    compared: tuple[str, ...]

    def loss(self, balance: Balance, summed: Callable[[Tensor], Tensor]) -> Loss:
        """What is lost by the outputs of a batch; `summed` adds a tensor up over the processes that share one."""

    def remedy(self, spec: str, targets: Ints, classes: tuple[str, ...], positive: str, *, epochs: int = 10) -> Remedy:
        """The remedy of a spec for a training part of these targets."""

    def shares(self, remedy: Remedy) -> tuple[float, ...]:
        """The share of each class in the training part; of each finding, among those of whom it is known."""

    def questions(self, model: ModelRecord) -> tuple[Question, ...]:
        """Those of `remedy`, from what model.json keeps."""

    def asked(self, logits_NK: Floats, targets: Ints) -> Iterator[tuple[Floats, Ints]]:
        """For each question its own logits and targets, of the cases of which it is known."""

    def target(self, prevalence: Prevalence, classes: tuple[str, ...], positive: str) -> Target:
        """The class shares of the place of use, one entry a question."""

    def probabilities(
        self,
        questions: Sequence[Question],
        logits_NK: Floats,
        calibrations: Sequence[Calibration | None],
        target: Target,
    ) -> Floats:
        """Float64 (N, K), one column an output of the network."""

    def predictions(self, dataset: Dataset, logits_NK: Floats, probabilities_NK: Floats) -> Predictions:
        """The table that metrics and pages work from."""

    def validation_metrics(self, logits_NK: Floats, targets: Ints) -> dict[str, float]:
        """validation_loss, validation_auroc, validation_macro_auprc and its standard error."""

    def summarise(
        self, found: Mapping[str, Predictions], rule: str, own_rule: str | None, questions: Sequence[Question],
        target: Target, *, ordered: bool = False, patient_score: Literal["mean", "max"] = "mean", seed: int = 0,
    ) -> ScoresRecord:  # fmt: skip
        """What scores.json tells of the validation and test parts; `rule` chooses thresholds, `own_rule` is the remedy's."""

    def thresholds(self, scores: ScoresRecord) -> Cut:
        """The thresholds that were chosen, as metrics take them."""

    def scored_at(self, target: Target) -> Prevalences:
        """The shares of the place of use, as metrics take them."""

    def notable(self, test: Predictions, scores: ScoresRecord) -> list[Notable]:
        """The most confident mistakes, and a few hits."""

    def main_output(self, dataset: Dataset) -> int:
        """The output that checks of attribution maps look at."""

    def check(self, recipe: Recipe, classes: tuple[str, ...], positive: str) -> None:
        """UsageError where the recipe names classes that there are not, or asks for what the task does not have."""
