"""Boxes: figures of every class, FROC and precision-recall curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenray.core.artefacts.scores import Figure as Score
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.types import Predictions
from evenray.metrics.boxes import box_matches
from evenray.metrics.detection import RATES, froc, precision_recall_of
from evenray.reporting.figures.detection import box_precision_recall
from evenray.reporting.figures.detection import froc as froc_drawn
from evenray.reporting.figures.svg import Figure, class_colours
from evenray.reporting.language import Language
from evenray.reporting.points import thinned
from evenray.reporting.view import RunView

__all__ = ["context"]

TOLD = ("map50", "map", "froc", "sensitivity", "ppv", "f1", "false_positives")
MOST_DRAWN = 7  # classes that colours tell apart


@dataclass(frozen=True)
class Row:
    """A class: how many objects of it count in the test part, its threshold and figures."""

    name: str
    objects: int
    threshold: float | None
    figures: list[Score | None]
    sensitivities: list[Score | None]


@dataclass(frozen=True)
class Shown:
    told: tuple[str, ...]
    rates: tuple[float, ...]
    rule: str | None
    rows: list[Row]
    means: list[Score | None]
    mean_sensitivities: list[Score | None]
    empty: int
    images: int
    figures: list[Figure]
    untold: list[str]


def context(run: RunView, say: Language) -> Shown | None:
    results, test = run.results, run.test
    if results is None or test is None or run.predictions is None:
        return None
    predictions = run.predictions.part("test")
    rows = [_row(name, record) for name, record in results.findings.items()]
    return Shown(
        told=TOLD, rates=RATES, rule=results.threshold_rule, rows=sorted(rows, key=lambda row: -row.objects),
        means=[test.metrics.get(name) for name in TOLD],
        mean_sensitivities=[test.metrics.get(f"sensitivity_at_{rate:g}") for rate in RATES],
        empty=int((predictions.targets == 0).all(axis=1).sum()), images=predictions.table.height,
        figures=_figures(predictions, results, say), untold=results.untold,
    )  # fmt: skip


def _row(name: str, record: ScoresRecord) -> Row:
    metrics = record.parts["test"].metrics
    return Row(
        name, sum(record.parts["test"].counts.values()), record.threshold, [metrics.get(figure) for figure in TOLD],
        [metrics.get(f"sensitivity_at_{rate:g}") for rate in RATES],
    )  # fmt: skip


def _figures(predictions: Predictions, results: ScoresRecord, say: Language) -> list[Figure]:
    """The curves of the most frequent classes, as many as colours tell apart."""
    found = dict(zip(predictions.classes, box_matches(predictions, (0.5,)), strict=True))
    some = sorted(
        (name for name, one in found.items() if one.objects.any()), key=lambda name: -found[name].objects.sum()
    )
    shown = tuple(name for name in predictions.classes if name in some[:MOST_DRAWN])
    if not shown:
        return []
    colours = class_colours(shown, shown[0])
    at = {name: results.findings[name].parts["test"].metrics for name in shown}
    curves = {name: froc(found[name]) for name in shown}
    drawn = froc_drawn(
        {name: (x, y) for name, (x, y, _) in curves.items()}, colours,
        {name: (own["false_positives"].value, own["sensitivity"].value) for name, own in at.items()}, say,
    )  # fmt: skip
    pairs = {name: precision_recall_of(found[name]) for name in shown}
    lines = {
        # that of a class of which nothing was detected begins and ends at 0
        name: thinned(np.append(0.0, recall), np.append(precision[:1] if len(precision) else 0.0, precision))
        for name, (recall, precision) in pairs.items()
    }
    ranked = box_precision_recall(
        lines, colours, {name: (own["sensitivity"].value, own["ppv"].value) for name, own in at.items()}, say
    )
    return [
        Figure(say(f"boxes.{name}.title"), svg, say(f"boxes.{name}.caption"))
        for name, svg in (("froc", drawn), ("pr", ranked))
    ]
