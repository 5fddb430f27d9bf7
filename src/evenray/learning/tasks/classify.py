"""classify: one class a case."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from evenray.core.artefacts.model import ModelRecord, TrainingCounts
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import DataError, UsageError
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset, Predictions
from evenray.learning.balance import make
from evenray.learning.networks.output import Output
from evenray.metrics import Calibration, choose_threshold
from evenray.metrics.measuring import Cut
from evenray.metrics.measuring import Prevalence as Prevalences
from evenray.metrics.ranking import Ranking

from .checking import check_networks
from .question import Question, Target
from .scores import summarise
from .shares import target_prior
from .table import identified, told_columns
from .task import Asked, Floats, Ints, Notable, Prevalence, Remedy
from .whole_images import USUAL, WholeImages

__all__ = ["Classify", "bootstrap_counts", "check_remedies", "mean_areas"]

MISTAKES, HITS = 12, 4


class Classify(WholeImages):
    """One class a case: a soft-max, one question."""

    output: Output = "softmax"

    def remedy(self, spec: str, targets: Ints, classes: tuple[str, ...], positive: str, *, epochs: int = 10) -> Remedy:
        counts = np.bincount(targets, minlength=len(classes))
        balance = make(spec, counts, classes, positive, epochs=epochs)
        question = Question("", classes, positive, balance, counts / counts.sum())
        plain = balance.loss is None and balance.sampler is None and balance.mix is None
        return Remedy(balance, (question,), TrainingCounts(present=tuple(counts.tolist())), plain)

    def shares(self, remedy: Remedy) -> tuple[float, ...]:
        return tuple(remedy.questions[0].prior.tolist())

    def questions(self, model: ModelRecord) -> tuple[Question, ...]:
        balance = make(model.balance, np.array(model.counts), model.classes, model.positive)
        return (Question("", model.classes, model.positive, balance, np.array(model.prior)),)

    def asked(self, told: NDArray[Any], targets: Ints) -> Iterator[Asked]:
        yield Asked(told, targets, np.bincount(targets, minlength=told.shape[1]))

    def target(self, prevalence: Prevalence, classes: tuple[str, ...], positive: str) -> Target:
        return [target_prior(prevalence, classes, positive)]

    def probabilities(
        self,
        questions: Sequence[Question],
        told: NDArray[Any],
        calibrations: Sequence[Calibration | None],
        target: Target,
    ) -> Floats:
        return questions[0].probabilities(told, calibrations[0], target[0])

    def predictions(self, dataset: Dataset, told: NDArray[Any], probabilities: Floats) -> Predictions:
        known = identified(dataset)
        table = known.select("case", "patient", "part").with_columns(
            dataset.cases["label"],
            pl.Series("target", dataset.targets),
            *told_columns(known, told, probabilities),
        )
        return Predictions(table, dataset.classes, dataset.positive)

    def validation_metrics(self, told: NDArray[Any], targets: Ints) -> dict[str, float]:
        """Loss, and AUROC and AUPRC as means over the classes; the standard error of the AUPRC is the bootstrap's, over cases."""
        logits: Tensor = torch.from_numpy(told)
        probabilities = torch.softmax(logits, 1).numpy()
        hot = targets[:, None] == np.arange(logits.shape[1])
        times = bootstrap_counts(len(targets))
        areas = [
            Ranking.of(probabilities[:, k], hot[:, k]).areas(times)
            for k in range(hot.shape[1])
            if 0 < hot[:, k].sum() < len(hot)
        ]
        loss = float(functional.cross_entropy(logits, torch.from_numpy(targets)))
        return {"validation_loss": loss, **mean_areas(areas)}

    def summarise(
        self, found: Mapping[str, Predictions], rule: str, own_rule: str | None, questions: Sequence[Question],
        target: Target, *, ordered: bool = False, patient_score: Literal["mean", "max"] = "mean",
        refused: Collection[str] = (), seed: int = 0,
    ) -> ScoresRecord:  # fmt: skip
        rule_of_two = (own_rule or rule) if len(questions[0].classes) == 2 else None
        return summarise(
            found, rule_of_two, questions[0].prior, target[0], ordered=ordered, patient_score=patient_score, seed=seed
        )

    def thresholds(self, scores: ScoresRecord) -> Cut:
        return scores.threshold

    def scored_at(self, target: Target) -> Prevalences:
        return target[0]

    def notable(self, test: Predictions, scores: ScoresRecord) -> list[Notable]:
        """The most confident mistakes, and hits of the positive class (of any, where there are more than two)."""
        p, positive, threshold = test.probabilities, test.positive_index, scores.threshold
        called, margin = p.argmax(1), p.max(1)
        if threshold is not None:
            called = np.where(p[:, positive] >= threshold, positive, 1 - positive)
            margin = np.abs(p[:, positive] - threshold)
        wrong = called != test.targets
        of_interest = (called == positive) | (len(test.classes) > 2)
        order = np.argsort(-margin, kind="stable")
        chosen = [i for i in order if wrong[i]][:MISTAKES]
        chosen += [i for i in order if not wrong[i] and of_interest[i]][:HITS]
        cases, labels = test.table["case"], test.table["label"]
        return [
            Notable(
                cases[int(i)], int(called[i]), "", labels[int(i)], test.classes[called[i]], float(p[i, called[i]]), bool(wrong[i])
            )
            for i in chosen
        ]  # fmt: skip

    def check(self, recipe: Recipe, classes: tuple[str, ...], positive: str) -> None:
        """A rule for the threshold that was asked for, by itself or with a remedy, is for two classes alone."""
        check_networks(recipe, "classify")
        asked = check_remedies(recipe, classes, positive)
        if recipe.patient_score == "max" and len(classes) > 2:
            raise UsageError(
                f"patient_score is max, but there are {len(classes)} classes; the largest probability is for two. Leave it out"
                " for the mean."
            )
        target = target_prior(recipe.prevalence, classes, positive)
        if len(classes) == 2 or recipe.threshold not in (
            None,
            USUAL.threshold,
        ):  # with more classes the usual rule is not applied
            asked.append(recipe.threshold or USUAL.threshold)
        for rule in asked:
            with suppress(DataError):  # too few cases to promise a rate by: the validation part will have more
                choose_threshold(_sure(classes, positive), rule, target)


def check_remedies(recipe: Recipe, classes: tuple[str, ...], positive: str) -> list[str]:
    """Make every remedy for these classes, as UsageError tells what does not fit; returns the threshold rules of remedies."""
    asked = []
    if recipe.patch:
        raise UsageError("--patch cuts images to train masks on, and these labels are of whole images; leave it out.")
    for spec in recipe.balances or USUAL.balance:
        remedy = make(spec, [1000] * len(classes), classes, positive)
        asked += [remedy.rule] if remedy.rule is not None else []
        if remedy.region is not None or remedy.foreground is not None:
            raise UsageError(
                f"{spec} is about the pixels of masks, and these labels are of whole images; leave it out."
            )
        if remedy.hard_negatives is not None:
            raise UsageError(f"{spec} is about boxes, and these labels are of whole images; leave it out.")
        if remedy.needs_images and recipe.frozen:
            raise UsageError(
                f"{spec} changes images, but with --finetune frozen each passes through the trunk once; take oversample or"
                " minority_mixup, or --finetune 'last(1)'."
            )
    return asked


def _sure(classes: tuple[str, ...], positive: str) -> Predictions:
    """A case of each class, told with certainty."""
    K = len(classes)
    sure = {f"p_{k}": np.where(np.arange(K) == k, 0.9, 0.1 / max(1, K - 1)) for k in range(K)}
    return Predictions(pl.DataFrame({"target": np.arange(K), **sure}), classes, positive)


@lru_cache(maxsize=2)
def bootstrap_counts(cases: int) -> NDArray[np.float64]:
    """How often each case counts, (1 + resamples, cases): once, and as the same few bootstrap resamples draw it."""
    number = max(20, min(200, 2_000_000 // cases))
    drawn = np.random.default_rng(0).integers(cases, size=(number, cases))
    counts = [np.bincount(row, minlength=cases) for row in drawn]
    return np.vstack([np.ones(cases), *counts])


def mean_areas(areas: Sequence[tuple[Floats, Floats]]) -> dict[str, float]:
    """AUROC and AUPRC as means over what is told apart, each (1 + resamples,), with the bootstrap's error of the AUPRC."""
    auroc, auprc = (np.mean([pair[i] for pair in areas], axis=0) for i in (0, 1))
    return {
        "validation_auroc": float(auroc[0]), "validation_macro_auprc": float(auprc[0]),
        "validation_macro_auprc_error": _error_of(auprc[1:]),
    }  # fmt: skip


def _error_of(resampled: Floats) -> float:
    """The standard error that resamples tell, without those in which a class does not occur; NaN where they tell none."""
    known = resampled[~np.isnan(resampled)]
    return float(known.std()) if len(known) > 1 else float("nan")
