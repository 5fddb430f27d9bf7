"""tag: several findings a case, each yes, no or unknown. Unknown entries are left out of the loss and of every figure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenray.core.artefacts.model import ModelRecord, TrainingCounts
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import DataError, UsageError
from evenray.core.recipe import Recipe
from evenray.core.tags import ABSENT, PRESENT
from evenray.core.types import Dataset, Predictions
from evenray.learning.balance import Balance
from evenray.learning.networks.output import Output
from evenray.metrics import Calibration, choose_threshold
from evenray.metrics.measuring import Cut
from evenray.metrics.measuring import Prevalence as Prevalences
from evenray.metrics.ranking import Ranking

from .checking import check_networks
from .classify import bootstrap_counts, check_remedies, mean_areas
from .finding_remedies import by_finding, questions_of, whole
from .finding_scores import summarise_findings
from .question import Question, Target
from .sampling import TWO, masked_loss, sampling, shares
from .shares import target_prior
from .table import identified, told_columns
from .task import Asked, Floats, Ints, Notable, Prevalence, Remedy
from .whole_images import USUAL, WholeImages

__all__ = ["Tag"]

MISTAKES, HITS = 12, 4
EACH = 3  # mistakes, or hits, of one finding


class Tag(WholeImages):
    """Several findings a case: a sigmoid each, and a question each."""

    output: Output = "sigmoid"

    def remedy(self, spec: str, targets: Ints, classes: tuple[str, ...], positive: str, *, epochs: int = 10) -> Remedy:
        """Losses and priors finding by finding, as for two classes; samplers and mixtures by the rarest finding of a case.

        A finding that no training case has, or all have, is trained plainly. DataError where that is so of each.
        """
        present, absent = ((targets == value).sum(axis=0) for value in (1, 0))
        if not ((present > 0) & (absent > 0)).any():
            raise DataError(
                "None of the findings is known to be present in some of the training images and absent in others; there"
                " is nothing to learn. Check the columns of labels, or split again."
            )
        drawing, weights = sampling(spec, targets, epochs)
        drawn = None if weights is None else shares(weights, targets)
        counts = TrainingCounts(
            present=tuple(present.tolist()), absent=tuple(absent.tolist()),
            drawn=None if drawn is None else tuple(drawn.tolist()),
        )  # fmt: skip
        chain = whole(spec, counts, epochs)
        own = by_finding(spec, counts, epochs)
        plain = drawing == Balance() and all(one.loss is None for one in own)
        balance = Balance(
            loss=masked_loss(own, (targets >= 0).sum() / len(targets)), sampler=drawing.sampler, mix=drawing.mix, rule=chain.rule,
            needs_images=chain.needs_images, constant_from=chain.constant_from,
        )  # fmt: skip
        return Remedy(balance, questions_of(spec, counts, classes, epochs), counts, plain)

    def shares(self, remedy: Remedy) -> tuple[float, ...]:
        return tuple(float(question.prior[1]) for question in remedy.questions)

    def questions(self, model: ModelRecord) -> tuple[Question, ...]:
        assert model.findings is not None, "model.json of a task of findings keeps their counts"
        return questions_of(model.balance, model.findings, model.classes)

    def asked(self, told: NDArray[Any], targets: Ints) -> Iterator[Asked]:
        for k in range(targets.shape[1]):
            known = targets[:, k] >= 0
            own = targets[known, k]
            yield Asked(_pair(told[known, k]), own, np.bincount(own, minlength=2))

    def target(self, prevalence: Prevalence, classes: tuple[str, ...], positive: str) -> Target:
        """Of each finding that the prevalence names; UsageError where it is one number, or names what is no finding."""
        if prevalence is None:
            return [None] * len(classes)
        if not isinstance(prevalence, Mapping):
            raise UsageError(
                f"The prevalence is {prevalence:g}, but there are {len(classes)} findings; name each whose share is known, as"
                f" in {classes[0]}={prevalence:g}."
            )
        if unknown := set(prevalence) - set(classes):
            raise UsageError(
                f"The prevalence names {', '.join(sorted(unknown))}, but the findings are {', '.join(classes)}."
            )
        return [target_prior(prevalence[name], TWO, PRESENT) if name in prevalence else None for name in classes]

    def probabilities(
        self,
        questions: Sequence[Question],
        told: NDArray[Any],
        calibrations: Sequence[Calibration | None],
        target: Target,
    ) -> Floats:
        each = zip(questions, told.T, calibrations, target, strict=True)
        return np.column_stack([asked.probabilities(_pair(z), fitted, at)[:, 1] for asked, z, fitted, at in each])

    def predictions(self, dataset: Dataset, told: NDArray[Any], probabilities: Floats) -> Predictions:
        K, known, targets = len(dataset.classes), identified(dataset), dataset.targets
        true = [pl.Series(f"target_{k}", targets[:, k]) for k in range(K)]
        table = known.select("case", "patient", "part").with_columns(
            *[pl.when(one >= 0).then(one == 1).alias(one.name) for one in true],
            *told_columns(known, told, probabilities),
        )
        return Predictions(table, dataset.classes, dataset.positive, "tag")

    def validation_metrics(self, told: NDArray[Any], targets: Ints) -> dict[str, float]:
        """Loss, and AUROC and AUPRC as means over the findings; the standard error of the AUPRC is the bootstrap's, over cases."""
        times, areas = bootstrap_counts(len(targets)), []
        for k in range(targets.shape[1]):
            known = targets[:, k] >= 0
            present = targets[known, k] == 1
            if 0 < present.sum() < len(present):
                areas.append(Ranking.of(told[known, k], present).areas(times[:, known]))
        plain = masked_loss([Balance()] * targets.shape[1], max((targets >= 0).sum(), 1) / len(targets))
        loss = float(plain(torch.from_numpy(told), torch.from_numpy(targets), 1.0))
        if not areas:
            unknown = dict.fromkeys(
                ("validation_auroc", "validation_macro_auprc", "validation_macro_auprc_error"), float("nan")
            )
            return {"validation_loss": loss, **unknown}
        return {"validation_loss": loss, **mean_areas(areas)}

    def summarise(
        self, found: Mapping[str, Predictions], rule: str, own_rule: str | None, questions: Sequence[Question],
        target: Target, *, ordered: bool = False, patient_score: Literal["mean", "max"] = "mean",
        refused: Collection[str] = (), seed: int = 0,
    ) -> ScoresRecord:  # fmt: skip
        priors = [question.prior for question in questions]
        return summarise_findings(
            found, own_rule or rule, priors, target, patient_score=patient_score, refused=refused, seed=seed
        )

    def thresholds(self, scores: ScoresRecord) -> Cut:
        return [record.threshold for record in scores.findings.values()]

    def scored_at(self, target: Target) -> Prevalences:
        return target

    def notable(self, test: Predictions, scores: ScoresRecord) -> list[Notable]:
        """The most confident mistakes over all findings, at most three of each, and as many hits of what is present."""
        found: list[tuple[float, Notable]] = []
        cases, p_NK, targets = test.table["case"], test.probabilities, test.targets
        for k, name in enumerate(test.classes):
            cut = scores.findings[name].threshold
            cut = 0.5 if cut is None else cut
            known = np.flatnonzero(targets[:, k] >= 0)
            p, present = p_NK[known, k], targets[known, k] == 1
            called = p >= cut
            margin = np.abs(p - cut) / np.where(
                called, 1 - cut, cut
            )  # from 0 at the threshold to 1 where it is certain
            for chosen in (called != present, called & present):
                for i in [i for i in np.argsort(-margin, kind="stable") if chosen[i]][:EACH]:
                    true, said = ((ABSENT, PRESENT)[int(each[i])] for each in (present, called))
                    sure = float(p[i] if called[i] else 1 - p[i])
                    item = Notable(cases[int(known[i])], k, name, true, said, sure, bool(called[i] != present[i]))
                    found.append((float(margin[i]), item))
        ranked = [item for _, item in sorted(found, key=lambda each: -each[0])]
        return [n for n in ranked if n.mistake][:MISTAKES] + [n for n in ranked if not n.mistake][:HITS]

    def check(self, recipe: Recipe, classes: tuple[str, ...], positive: str) -> None:
        """Remedies and rules are for the classes absent and present; thinning is for one positive class."""
        if recipe.imbalances:
            raise UsageError(
                "--imbalance thins one positive class, and these images have several findings; leave it out."
            )
        check_networks(recipe, "tag")
        asked = [*check_remedies(recipe, TWO, PRESENT), recipe.threshold or USUAL.threshold]
        target = next((one for one in self.target(recipe.prevalence, classes, positive) if one is not None), None)
        for rule in asked:
            with suppress(DataError):  # too few cases to promise a rate by: the validation part will have more
                choose_threshold(_sure(), rule, target)


def _pair(z_N: Floats) -> Floats:
    """The logits of absent and present, (N, 2), from the log-odds of present."""
    return np.column_stack([np.zeros(len(z_N)), z_N])


def _sure() -> Predictions:
    """A case with a finding and one without, told with certainty."""
    return Predictions(pl.DataFrame({"target": [0, 1], "p_0": [0.9, 0.1], "p_1": [0.1, 0.9]}), TWO, PRESENT)
