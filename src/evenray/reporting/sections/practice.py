"""The model in use: what other operating points would do, whether acting on it does good, and for whom it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from evenray.core.artefacts.scores import OperatingPoint, PartScores
from evenray.reporting.figures.decision import decision
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
    figure: Figure | None
    patients: PartScores | None
    images: PartScores | None
    groups: list[tuple[str, list[tuple[str, PartScores]], int]]
    rates: tuple[str, ...] = RATES
    told: tuple[str, ...] = TOLD


def context(run: RunView, say: Language) -> Shown | None:
    scores = run.results
    if scores is None:
        return None
    curve = scores.decision_curve
    caption = "" if run.binary else say("decision.caption_many", name=run.positive) + " "
    title = say("decision.title")
    return Shown(
        points=scores.operating_points,
        chosen=scores.threshold_rule,
        figure=Figure(title, decision(pl.DataFrame(curve), say), caption + say("decision.caption")) if curve else None,
        patients=scores.patients,
        images=run.test,
        groups=[(column, *_largest(groups)) for column, groups in scores.groups.items() if groups],
    )


def _largest(groups: Mapping[str, PartScores]) -> tuple[list[tuple[str, PartScores]], int]:
    """The groups with the most cases, in their own order, and how many are not shown."""
    kept = set(sorted(groups, key=lambda name: -groups[name].cases)[:MOST])
    return [(name, group) for name, group in groups.items() if name in kept], len(groups) - len(kept)
