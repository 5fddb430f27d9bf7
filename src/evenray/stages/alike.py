"""An external test and the internal one on what both can be measured on, so that a difference is none of what they are means over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.scores import Figure, ScoresRecord
from evenray.core.types import Predictions, Scores
from evenray.learning.tasks.question import Question, Target
from evenray.learning.tasks.scores import BESIDE
from evenray.metrics import each_repeat, grades, over_repeats
from evenray.metrics.measurable import among, measurable
from evenray.metrics.measuring import Cut, Prevalence, scored_by_task

__all__ = ["Alike", "alike"]

Shares = NDArray[np.float64] | None


@dataclass(frozen=True)
class Alike:
    """`over` are the classes or findings that both sets can be measured on: predictions of them alone, of the internal test of its
    first repeat, and the threshold of each. `scores` of the set and of the internal test have figures over them, or as they are
    where both are measured on the same anyway."""

    over: tuple[str, ...]
    external: Predictions
    internal: Predictions
    cuts: Cut
    scores: tuple[ScoresRecord, ScoresRecord]


def alike(
    found: Predictions, scores: ScoresRecord, test: Predictions, own: ScoresRecord, questions: Sequence[Question],
    target: Target, *, seed: int,
) -> Alike:  # fmt: skip
    """Of what was `found` in a set with its scores, and of the internal `test` with the run's own; `target` is of its prevalence."""
    repeats = each_repeat(test)
    here, inside = measurable(found), measurable(repeats[0])
    over = tuple(name for name in here if name in inside)
    sides = [among(found, over)], [among(one, over) for one in repeats]
    cuts = [own.findings[name].threshold for name in over] if own.findings else own.threshold
    if here == inside:
        return Alike(over, sides[0][0], sides[1][0], cuts, (scores, own))
    asked = list(zip(questions, target, strict=True))
    if own.findings:
        asked = [(one, at) for one, at in asked if one.name in over]
    kept, records = _as_they_are(scores, own), []
    for side, record in zip(sides, (scores, own), strict=True):
        part = record.parts["test"]
        figures = _figures(side, cuts, asked, own.ordered, over, seed) if over else {}
        metrics = figures | {name: part.metrics[name] for name in kept}
        if own.task == "segment":  # it is of masks of all classes
            metrics.pop("accuracy", None)
        records.append(record.model_copy(update={"parts": {"test": part.model_copy(update={"metrics": metrics})}}))
    return Alike(over, sides[0][0], sides[1][0], cuts, (records[0], records[1]))


def _as_they_are(scores: ScoresRecord, own: ScoresRecord) -> list[str]:
    """The figures of masks that need no case of a class, such as how many images without it are clean: both are of the same."""

    def known(record: ScoresRecord, name: str) -> list[bool]:
        each = (one.parts["test"].metrics.get(name) for one in record.findings.values())
        return [figure is not None and figure.value == figure.value for figure in each]

    both = [name for name in scores.parts["test"].metrics if name in own.parts["test"].metrics]
    return [name for name in both if own.task == "segment" and known(scores, name) == known(own, name)]


def _figures(
    repeats: Sequence[Predictions], cuts: Cut, asked: Sequence[tuple[Question, Shares]], ordered: bool, over: Sequence[str],
    seed: int,
) -> dict[str, Figure]:  # fmt: skip
    """Those of `over` alone, made as those of a test part are."""
    first = repeats[0]
    priors: Prevalence = [one.prior if at is None else at for one, at in asked]
    prevalence: Prevalence = [at for _, at in asked]
    if first.task == "classify":
        ((question, at),) = asked
        priors = question.prior if at is None else at
        # The shares of the place of use, among the classes that are left.
        prevalence = None if at is None else np.where([name in over for name in first.classes], at, 0.0)
    cuts = None if first.folds is not None else cuts

    def scored(each: Predictions, bounded: bool) -> Scores:
        n = BESIDE if bounded else 0
        found = scored_by_task(each, cuts, priors=priors, prevalence=prevalence, seed=seed, resamples=n)
        agreement = grades(each, cuts, prior=priors, seed=seed, resamples=n) if ordered else {}  # type: ignore[arg-type]
        return replace(found, estimates={**found.estimates, **agreement})

    return {name: Figure.of(one) for name, one in over_repeats(repeats, scored).estimates.items()}
