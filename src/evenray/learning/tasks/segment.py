"""segment: a class for every pixel, or none of them; what is known of an image are its pixels counted by their log-odds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.artefacts.model import ModelRecord
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import UsageError
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset, Predictions
from evenray.learning.balance import Balance
from evenray.learning.networks.output import Output
from evenray.metrics import Calibration
from evenray.metrics.masks import chosen_threshold, threshold_rule
from evenray.metrics.measuring import Cut
from evenray.metrics.pixel_bins import CENTRES, odds_of, rebinned, swept

from .checking import check_masks
from .classify import bootstrap_counts
from .mask_scores import summarise_masks
from .pixel_remedies import MILLION, pixel_questions, pixel_remedy
from .pixels import pixel_loss
from .question import Question, Target
from .table import GROUPS, identified
from .task import Asked, Floats, Ints, Loss, Prevalence, Remedy, Usual

__all__ = ["Segment"]


class Segment:
    """A soft-max over the background and the classes at every pixel; a question a class, of pixels."""

    output: Output = "softmax"
    ranks_by = "validation_dice"
    compared = ("dice", "iou", "dice_pooled", "brier", "dice_gain")
    gained, keeps_features = "dice_gain", False
    usual = Usual(balance=("none", "weighted", "dice_cross_entropy"), threshold="dice", attribution="layer_attribution")
    draws = True
    shown = ("dice", "iou")

    def loss(self, balance: Balance, summed: Callable[[Tensor], Tensor]) -> Loss:
        return pixel_loss(balance, summed)

    def outputs(self, classes: tuple[str, ...]) -> int:
        return len(classes) + 1

    def targets(self, dataset: Dataset) -> Ints:
        """The share of the background and of each class, in millionths of an image, at least one where it is there: (cases, K + 1)."""
        pixels = np.array(dataset.cases["mask_pixels"].to_list(), dtype=np.float64).reshape(len(dataset), -1)
        size = dataset.cases.select(pl.col("rows").cast(pl.Float64) * pl.col("columns")).to_series().to_numpy()
        unknown = dataset.cases["mask_unknown"].to_numpy().astype(np.float64)
        known = np.maximum(size - unknown, 1)[:, None]
        shares = np.where(pixels > 0, np.maximum(np.round(pixels / known * MILLION), 1), 0).astype(np.int64)
        return np.column_stack([np.maximum(MILLION - shares.sum(axis=1), 0), shares])

    def remedy(self, spec: str, targets: Ints, classes: tuple[str, ...], positive: str, *, epochs: int = 10) -> Remedy:
        """Losses and priors of pixels; samplers by the rarest class that an image has."""
        balance, counts = pixel_remedy(spec, targets, classes, epochs)
        plain = balance == Balance(rule=balance.rule)
        return Remedy(balance, pixel_questions(spec, counts, classes, epochs), counts, plain)

    def shares(self, remedy: Remedy) -> tuple[float, ...]:
        return tuple(float(question.prior[1]) for question in remedy.questions)

    def questions(self, model: ModelRecord) -> tuple[Question, ...]:
        assert model.findings is not None, "model.json of a task of masks keeps the counts of pixels"
        return pixel_questions(model.balance, model.findings, model.classes)

    def asked(self, told: NDArray[Any], targets: Ints) -> Iterator[Asked]:
        """Bins of log-odds in place of pixels, each as absent and as present, with the share of pixels that it stands for."""
        rows = np.tile(CENTRES, 2).astype(np.float64)
        for k in range(told.shape[1]):
            counts = told[:, k].astype(np.float64)
            size = counts.sum(axis=(1, 2), keepdims=True)
            weights = (counts / np.maximum(size, 1)).sum(axis=0)  # every image counts alike, as in training
            has = targets[:, k + 1] > 0
            kept = weights.reshape(-1) > 0
            yield Asked(
                _pair(rows)[kept], np.repeat([0, 1], len(CENTRES))[kept], np.array([len(told), int(has.sum())]),
                weights.reshape(-1)[kept],
            )  # fmt: skip

    def target(self, prevalence: Prevalence, classes: tuple[str, ...], positive: str) -> Target:
        if prevalence is not None:
            raise UsageError("--prevalence is the share of patients, and masks tell pixels; leave it out.")
        return [None] * len(classes)

    def probabilities(
        self,
        questions: Sequence[Question],
        told: NDArray[Any],
        calibrations: Sequence[Calibration | None],
        target: Target,
    ) -> Floats:
        """What each bin of the log-odds stands for, float64 (K, BINS)."""
        each = zip(questions, calibrations, target, strict=True)
        return np.array([asked.probabilities(_pair(CENTRES), fitted, at)[:, 1] for asked, fitted, at in each])

    def predictions(self, dataset: Dataset, told: NDArray[Any], probabilities: Floats) -> Predictions:
        """A row a case: which classes it has (`target_k`), and its pixels by what is true and by calibrated log-odds (`bins_k`)."""
        known, columns = identified(dataset), list[pl.Series]()
        for k, log_odds_B in enumerate(odds_of(probabilities)):
            bins = rebinned(told[:, k], log_odds_B).reshape(len(told), -1)
            columns.append(pl.Series(f"target_{k}", dataset.targets[:, k] == 1))
            columns.append(pl.Series(f"bins_{k}", bins.tolist(), dtype=pl.List(pl.Int64)))
        groups = [known[name] for name in GROUPS if name in known.columns]
        table = known.select("case", "patient", "part").with_columns(*columns, *groups)
        return Predictions(table, dataset.classes, dataset.positive, "segment")

    def validation_metrics(self, told: NDArray[Any], targets: Ints) -> dict[str, float]:
        """The log loss of the pixels, and the mean Dice over images and classes at the threshold that is best for it, with the
        bootstrap's standard error."""
        times, curves, losses = bootstrap_counts(len(told)), [], []
        cost = np.array([np.logaddexp(0, CENTRES), np.logaddexp(0, -CENTRES)])
        for counts in np.moveaxis(told.astype(np.int64), 1, 0):
            losses.append(float((counts.sum(axis=0) * cost).sum() / max(counts.sum(), 1)))
            called, hit = swept(counts)
            true = counts[:, 1].sum(axis=1, keepdims=True)
            has = true[:, 0] > 0
            if has.any():
                dice = 2 * hit[has] / (called[has] + true[has])
                best = dice[:, int(dice.mean(axis=0).argmax())]
                with np.errstate(invalid="ignore", divide="ignore"):
                    curves.append((times[:, has] @ best) / times[:, has].sum(axis=1))
        if not curves:
            return {
                "validation_loss": float(np.mean(losses)),
                "validation_dice": np.nan,
                "validation_dice_error": np.nan,
            }
        known = np.array(curves)[
            :, ~np.isnan(curves).all(axis=0)
        ]  # of few cases a resample may have none with any class
        means = np.nanmean(known, axis=0)
        return {
            "validation_loss": float(np.mean(losses)), "validation_dice": float(means[0]),
            "validation_dice_error": float(means[1:].std()) if len(means) > 1 else np.nan,
        }  # fmt: skip

    def cuts(self, validation: Predictions, rule: str) -> list[float]:
        """The threshold of each class that a rule chooses."""
        return [chosen_threshold(validation, k, rule) for k in range(len(validation.classes))]

    def summarise(
        self, found: Mapping[str, Predictions], rule: str, own_rule: str | None, questions: Sequence[Question],
        target: Target, *, ordered: bool = False, patient_score: Literal["mean", "max"] = "mean",
        refused: Collection[str] = (), seed: int = 0,
    ) -> ScoresRecord:  # fmt: skip
        rule, validation = own_rule or rule, found["validation"]
        there = (validation.targets == 1).any(axis=0) | (threshold_rule(rule)[0] == "at")
        untold = [name for name, told in zip(validation.classes, there, strict=True) if not told]
        return summarise_masks(found, self.cuts(validation, rule), rule, untold=untold, seed=seed)

    def thresholds(self, scores: ScoresRecord) -> Cut:
        return [record.threshold for record in scores.findings.values()]

    def scored_at(self, target: Target) -> None:
        return None

    def check(self, recipe: Recipe, classes: tuple[str, ...], positive: str) -> None:
        """What is for labels of whole images is refused."""
        check_masks(recipe, classes)
        self.target(recipe.prevalence, classes, positive)
        threshold_rule(recipe.threshold or self.usual.threshold)


def _pair(log_odds_N: NDArray[np.floating]) -> Floats:
    """The logits of absent and present, (N, 2)."""
    return np.column_stack([np.zeros(len(log_odds_N)), log_odds_N]).astype(np.float64)
