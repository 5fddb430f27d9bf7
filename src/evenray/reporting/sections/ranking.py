"""ROC and precision-recall curves of the test part, with those of the validation part behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evenray.core.artefacts.scores import Figure as Score
from evenray.core.types import Predictions
from evenray.metrics import precision_recall as pr_points
from evenray.metrics import roc as roc_points
from evenray.reporting.figures.ranking import Line, Point, precision_recall, roc
from evenray.reporting.figures.svg import ACCENT, FAINT, Figure, class_colours
from evenray.reporting.language import Language
from evenray.reporting.points import thinned
from evenray.reporting.view import RunView

__all__ = ["context"]


@dataclass(frozen=True)
class Shown:
    figures: list[Figure]


def context(run: RunView, say: Language) -> Shown | None:
    if run.predictions is None or (test := run.predictions.part("test")).table.is_empty():
        return None
    guess = run.prevalence or {name: float((test.targets == k).mean()) for k, name in enumerate(run.classes)}
    if run.binary:
        colours = {say("part.test"): ACCENT, say("part.validation"): FAINT}
        parts = {say(f"part.{part}"): run.predictions.part(part) for part in ("validation", "test")}
        lines = {
            name: _lines(rows, run.positive, run.shares) for name, rows in parts.items() if not rows.table.is_empty()
        }
        shown: tuple[str, ...] = (run.positive,)
        points = _points(run.test.metrics if run.test else {})
    else:
        colours, shown, points = class_colours(run.drawn, run.positive), run.drawn, (None, None)
        lines = {name: _lines(test, name, run.shares) for name in run.drawn}
    drawn = {
        "roc": roc({name: pair[0] for name, pair in lines.items()}, colours, points[0], say),
        "pr": precision_recall(
            {name: pair[1] for name, pair in lines.items()},
            colours,
            {name: guess[name] for name in shown},
            points[1],
            say,
        ),
    }
    return Shown(
        figures=[Figure(say(f"ranking.{k}.title"), svg, say(f"ranking.{k}.caption")) for k, svg in drawn.items()]
    )


def _lines(rows: Predictions, of: str, prevalence: Sequence[float] | None) -> tuple[Line, Line]:
    """ROC and precision-recall points of one class; precision before the first hit is that of the first."""
    curve, pr = roc_points(rows, of), pr_points(rows, of, prevalence=prevalence)
    first = thinned(curve["false_positive_rate"].to_numpy(), curve["sensitivity"].to_numpy())
    recall, precision = pr["recall"].to_numpy(), pr["precision"].to_numpy()
    return first, thinned(np.append(0.0, recall), np.append(precision[:1], precision))


def _points(metrics: Mapping[str, Score]) -> tuple[Point | None, Point | None]:
    """The operating point on both curves, its intervals those of the scores; None where a figure of it is not defined."""
    sensitivity, specificity, ppv = (_defined(metrics.get(name)) for name in ("sensitivity", "specificity", "ppv"))
    if sensitivity is None:
        return None, None
    up, first, second = (sensitivity.low, sensitivity.high), None, None
    if specificity:
        across = (1 - specificity.high, 1 - specificity.low)
        first = Point(1 - specificity.value, sensitivity.value, across, up)
    if ppv:
        second = Point(sensitivity.value, ppv.value, up, (ppv.low, ppv.high))
    return first, second


def _defined(figure: Score | None) -> Score | None:
    """A figure whose value is defined; an interval that is not is NaN, which is not drawn."""
    return figure if figure and np.isfinite(figure.value) else None
