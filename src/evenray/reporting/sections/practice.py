"""The model in use: what other operating points would do, whether acting on it does good, and for whom it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from evenray.core.artefacts.scores import OperatingPoint, PartScores
from evenray.reporting.figures.decision import ahead, decision, gain
from evenray.reporting.figures.svg import Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
TOLD = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv")
MOST = 20  # groups of a column


@dataclass(frozen=True)
class Shown:
    points: tuple[OperatingPoint, ...]
    chosen: str | None
    refused: tuple[str, ...]
    figures: list[Figure]
    patients: PartScores | None
    images: PartScores | None
    groups: list[tuple[str, list[tuple[str, PartScores]], int]]
    rates: tuple[str, ...] = RATES
    told: tuple[str, ...] = TOLD


def context(run: RunView, say: Language) -> Shown | None:
    scores = run.results
    if scores is None:
        return None
    return Shown(
        points=scores.operating_points,
        chosen=scores.threshold_rule,
        refused=scores.refused_points,
        figures=_decision(run, pl.DataFrame(scores.decision_curve), say) if scores.decision_curve else [],
        patients=scores.patients,
        images=run.test,
        groups=[(column, *_largest(groups)) for column, groups in scores.groups.items() if groups],
    )


def _decision(run: RunView, curve: pl.DataFrame, say: Language) -> list[Figure]:
    """The decision curve, and the paired difference to treating all, with where the model is ahead of both others."""
    of = "" if run.binary else say("decision.caption_many", name=run.positive) + " "
    risks = ahead(curve)
    where = say("decision.nowhere") if risks is None else say(
        "decision.ahead", low=say.percent(risks[0], 0), high=say.percent(risks[1], 0)
    )  # fmt: skip
    return [
        Figure(say("decision.title"), decision(curve, say), of + say("decision.caption")),
        Figure(say("decision.gain_title"), gain(curve, say), f"{of}{say('decision.gain_caption')} {where}"),
    ]


def _largest(groups: Mapping[str, PartScores]) -> tuple[list[tuple[str, PartScores]], int]:
    """The groups with the most cases, in their own order, and how many are not shown."""
    kept = set(sorted(groups, key=lambda name: -groups[name].cases)[:MOST])
    return [(name, group) for name, group in groups.items() if name in kept], len(groups) - len(kept)
