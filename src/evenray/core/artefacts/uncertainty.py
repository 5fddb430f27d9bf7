"""uncertainty.json: prediction sets with their coverage, and what comes of leaving the least certain cases unanswered."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from .record import Number, Record
from .scores import Figure

__all__ = ["AbstentionCurve", "ClassCoverage", "PredictionSets", "QuestionUncertainty", "UncertaintyRecord"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class ClassCoverage(_Part):
    """One class of the sets: the `calibration` patients that its threshold is from, the `least` probability (of the network,
    corrected for the remedy and not calibrated) with which it belongs to a set, and for how many of its `patients` in the test part
    the set held it: `value` with its 95 % interval, and between what 95 % of such shares lie where the promise holds."""

    calibration: int
    least: float
    patients: int
    value: Number
    low: Number
    high: Number
    expected_low: Number
    expected_high: Number


class PredictionSets(_Part):
    """The sets that promise a `coverage` for each of the `classes`, in their order; none where classes are `refused`, with their
    patients, since it takes `needed` of each.

    `sizes` are the shares of test cases whose sets hold 0, 1, ... classes, `single` how often those of one class are right.
    """

    coverage: float
    needed: int
    refused: dict[str, int] = {}
    classes: tuple[ClassCoverage, ...] = ()
    sizes: tuple[float, ...] = ()
    single: Figure | None = None


class AbstentionCurve(_Part):
    """The accuracy of the `shares` of test cases that are called with the most certainty, with 95 % intervals; of each class the
    share of its cases that is among them; and the mean accuracy over all shares, its baseline that of answering at random."""

    shares: tuple[float, ...]
    accuracy: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    answered: tuple[tuple[Number, ...], ...]
    area: Figure


class QuestionUncertainty(_Part):
    """Of the classes of a question (of a finding: absent and present): sets for several coverages, the asked one among them, and
    the curve of abstention; None where the test part has no case."""

    classes: tuple[str, ...]
    sets: tuple[PredictionSets, ...]
    abstention: AbstentionCurve | None


class UncertaintyRecord(Record):
    """`coverage` is what the sets of `predict` promise. They were calibrated on the validation part, or on cases `held_out` by the
    outer folds of a cross-validation; `epoch_chosen` says that the epoch of the network was chosen on these too.
    `questions` has one entry, "", or one a finding."""

    file: ClassVar[str] = "uncertainty.json"

    version: Literal[1] = 1
    coverage: float
    calibrated_on: Literal["validation", "held_out"]
    epoch_chosen: bool
    ordered: bool
    questions: dict[str, QuestionUncertainty]

    def least(self, question: str) -> tuple[float, ...] | None:
        """From which probability on each class belongs to the sets of the asked coverage; None where they are refused."""
        found = next(sets for sets in self.questions[question].sets if sets.coverage == self.coverage)
        return tuple(each.least for each in found.classes) or None
