"""detect: boxes around objects of some classes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.artefacts.model import ModelRecord, TrainingCounts
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import UsageError
from evenray.core.recipe import Recipe
from evenray.core.spec import Step
from evenray.core.tags import ABSENT, PRESENT
from evenray.core.types import Dataset, Predictions
from evenray.data.annotations.reading import clean_boxes
from evenray.data.letterbox import Placement
from evenray.learning.balance import Balance
from evenray.learning.boxes.told import found_in, objects_in
from evenray.learning.networks.output import Output
from evenray.metrics import Calibration
from evenray.metrics.boxes import box_matches, flat_column
from evenray.metrics.detection import average_precision
from evenray.metrics.detection_threshold import choose_detection_threshold, detection_rules, is_told
from evenray.metrics.matching import Matches, matches
from evenray.metrics.measuring import Cut
from evenray.metrics.measuring import Prevalence as Prevalences

from .box_remedies import box_balance, box_loss, check_box_remedy
from .box_scores import summarise_boxes
from .checking import check_networks, check_places
from .classify import bootstrap_counts
from .question import Question, Target
from .table import identified
from .task import Asked, Floats, Ints, Loss, Prevalence, Remedy, Usual

__all__ = ["Detect", "in_file_pixels"]

TWO = (ABSENT, PRESENT)
HALF = (0.5,)  # the overlap from which a box is that of an object
TINY = 1e-6
USUAL = Usual(balance=("none", "weighted", "focal"), threshold="f1", attribution="layer_attribution")


class Detect:
    """Boxes: each class is a question, whether what was found is an object of it. `targets` count the objects of each class."""

    output: Output = "boxes"
    ranks_by = "validation_map50"
    compared = ("map50", "map", "froc", "sensitivity_at_1")
    gained, keeps_features = "map50", False
    usual = USUAL
    draws = False
    shown = ("map50", "map", "froc")

    def outputs(self, classes: tuple[str, ...]) -> int:
        return len(classes)

    def targets(self, dataset: Dataset) -> Ints:
        K = len(dataset.classes)
        counts = []
        for rows, columns, boxes in dataset.cases.select("rows", "columns", "boxes").iter_rows():
            own = clean_boxes(boxes or (), (rows, columns))[:, 0].astype(np.int64)
            counts.append(np.bincount(own[own >= 0], minlength=K))
        return np.array(counts, np.int64).reshape(-1, K)

    def loss(self, balance: Balance, summed: Callable[[Tensor], Tensor]) -> Loss:
        return box_loss(balance, summed)

    def remedy(self, spec: str, targets: Ints, classes: tuple[str, ...], positive: str, *, epochs: int = 10) -> Remedy:
        balance = box_balance(spec, targets, classes, epochs=epochs)
        objects = targets.sum(axis=0)
        plain = balance.loss is None and balance.sampler is None and Step.of(spec.split("|")[0]).name == "none"
        return Remedy(balance, _questions(classes), TrainingCounts(present=tuple(objects.tolist())), plain)

    def shares(self, remedy: Remedy) -> tuple[float, ...]:
        objects = np.array(remedy.counts.present, np.float64)
        return tuple((objects / max(1.0, objects.sum())).tolist())

    def questions(self, model: ModelRecord) -> tuple[Question, ...]:
        return _questions(model.classes)

    def asked(self, told: NDArray[Any], targets: Ints) -> Iterator[Asked]:
        for one in _matches(told, targets.shape[1]):
            known = ~one.ignored[0]
            hit = one.hit[0][known]
            images = [len(np.unique(one.image[known][hit == kind])) for kind in (False, True)]
            yield Asked(_pair(one.score[known]), hit.astype(np.int64), np.array(images))

    def target(self, prevalence: Prevalence, classes: tuple[str, ...], positive: str) -> Target:
        if prevalence is not None:
            raise UsageError("A prevalence is of cases with one class or findings, and these have boxes; leave it out.")
        return [None] * len(classes)

    def probabilities(
        self,
        questions: Sequence[Question],
        told: NDArray[Any],
        calibrations: Sequence[Calibration | None],
        target: Target,
    ) -> Floats:
        """Of each box found the probability that it is an object, (N, KEPT)."""
        classes, scores = told["found"][..., 0], told["found"][..., 5]
        found = np.full(scores.shape, np.nan)
        for k, (question, fitted) in enumerate(zip(questions, calibrations, strict=True)):
            own = classes == k
            found[own] = question.probabilities(_pair(scores[own]), fitted)[:, 1] if own.any() else ()
        return found

    def predictions(self, dataset: Dataset, told: NDArray[Any], probabilities: Floats) -> Predictions:
        """Boxes in the pixels of the files."""
        objects, found = [], []
        places = dataset.cases.select("rows", "columns", "boxes").iter_rows()
        for (rows, columns, boxes), one, p in zip(places, told, probabilities, strict=True):
            objects.append(clean_boxes(boxes or (), (rows, columns)))
            found.append(in_file_pixels(found_in(one), p, (rows, columns), int(one["side"])))
        has = [pl.Series(f"target_{k}", dataset.targets[:, k] == 1) for k in range(len(dataset.classes))]
        table = identified(dataset).with_columns(*has, flat_column("objects", objects), flat_column("found", found))
        return Predictions(table, dataset.classes, dataset.positive, "detect")

    def validation_metrics(self, told: NDArray[Any], targets: Ints) -> dict[str, float]:
        """Loss, and the mean average precision at an overlap of one half with the bootstrap's error, over cases."""
        times = bootstrap_counts(len(told))
        areas = np.array([average_precision(one, times, 0) for one in _matches(told, targets.shape[1])])
        known = ~np.isnan(areas)
        with np.errstate(invalid="ignore"):
            means = np.where(known, areas, 0).sum(axis=0) / known.sum(axis=0)
        drawn = means[1:][~np.isnan(means[1:])]
        return {
            "validation_loss": float(told["loss"].mean()), "validation_map50": float(means[0]),
            "validation_map50_error": float(drawn.std()) if len(drawn) > 1 else float("nan"),
        }  # fmt: skip

    def summarise(
        self, found: Mapping[str, Predictions], rule: str, own_rule: str | None, questions: Sequence[Question],
        target: Target, *, ordered: bool = False, patient_score: Literal["mean", "max"] = "mean",
        refused: Collection[str] = (), seed: int = 0,
    ) -> ScoresRecord:  # fmt: skip
        validation = found["validation"]
        each = zip(validation.classes, box_matches(validation, HALF), strict=True)
        untold = [name for name, one in each if not is_told(one, rule)]
        return summarise_boxes(found, self.cuts(validation, rule), rule, untold=untold, seed=seed)

    def cuts(self, validation: Predictions, rule: str) -> list[float]:
        """The threshold of each class that a rule chooses."""
        return [choose_detection_threshold(one, rule) for one in box_matches(validation, HALF)]

    def thresholds(self, scores: ScoresRecord) -> Cut:
        return [record.threshold for record in scores.findings.values()]

    def scored_at(self, target: Target) -> Prevalences:
        return None

    def check(self, recipe: Recipe, classes: tuple[str, ...], positive: str) -> None:
        check_networks(recipe, "detect")
        for spec in recipe.balances or USUAL.balance:
            check_box_remedy(spec)
            box_balance(spec, np.full((2, len(classes)), 1000), classes, epochs=2)
        detection_rules.bind(recipe.threshold or USUAL.threshold)
        check_places(recipe)
        for given, why in (
            (recipe.imbalances, "--imbalance thins one positive class of cases"),
            (recipe.scale_jitter, "--scale-jitter crops images to labels that hold for all of them"),
            (recipe.patient_score == "max", "--patient-score max is about one probability an image"),
        ):
            if given:
                raise UsageError(f"{why}, and boxes are looked for in images as they are; leave it out.")
        self.target(recipe.prevalence, classes, positive)


def in_file_pixels(found_D6: Floats, probabilities: Floats, shape: tuple[int, int], side: int) -> Floats:
    """Boxes of the square of `side` pixels as those of its image, of `shape` (rows, columns), the probability in place of the score.

    What lies beside the image is cut off, and boxes of which nothing is left go.
    """
    own, (rows, columns) = found_D6.copy(), shape
    own[:, 1:5] = Placement.of(shape, side).boxes_to_image(own[:, 1:5])
    own[:, 5] = probabilities[: len(own)]
    own[:, [1, 3]], own[:, [2, 4]] = own[:, [1, 3]].clip(0, columns), own[:, [2, 4]].clip(0, rows)
    return own[(own[:, 3] > own[:, 1]) & (own[:, 4] > own[:, 2])]


def _questions(classes: tuple[str, ...]) -> tuple[Question, ...]:
    return tuple(Question(name, TWO, PRESENT, Balance(), np.array([0.5, 0.5])) for name in classes)


def _matches(told: NDArray[Any], classes: int) -> list[Matches]:
    return matches([objects_in(one) for one in told], [found_in(one) for one in told], classes, HALF)


def _pair(scores_D: Floats) -> Floats:
    """The logits of absent and present, (D, 2), from the score of present."""
    p = np.clip(scores_D, TINY, 1 - TINY)
    return np.column_stack([np.zeros(len(p)), np.log(p / (1 - p))])
