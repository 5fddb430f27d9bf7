"""ROC and precision-recall curves of the test part, with those of the validation part behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evenray.core.types import Predictions
from evenray.metrics import precision_recall as pr_points
from evenray.metrics import roc as roc_points
from evenray.reporting.figures.ranking import Line, Point, precision_recall, roc
from evenray.reporting.folder import Run
from evenray.reporting.language import Language
from evenray.reporting.points import thinned
from evenray.reporting.style import ACCENT, FAINT, class_colours

__all__ = ["context"]


def context(run: Run, say: Language) -> dict[str, Any] | None:
    if run.predictions is None or run.predictions.part("test").table.is_empty():
        return None
    figures = _binary(run, run.predictions, say) if run.binary else _many(run, run.predictions.part("test"), say)
    return {"figures": figures}


def _binary(run: Run, predictions: Predictions, say: Language) -> list[Any]:
    rocs: dict[str, Line] = {}
    prs: dict[str, Line] = {}
    for part in ("validation", "test"):
        rows = predictions.part(part)
        if not rows.table.is_empty():
            rocs[say(f"part.{part}")], prs[say(f"part.{part}")] = _lines(rows, run.positive, run.shares)
    colours = {say("part.test"): ACCENT, say("part.validation"): FAINT}
    test = (run.scores or {}).get("parts", {}).get("test", {})
    at = _points(test.get("metrics", {}))
    first = roc(rocs, colours, at[0], say)
    guess = {run.positive: _shares(run, predictions.part("test"))[run.positive]}
    return [first, precision_recall(prs, colours, guess, at[1], say)]


def _many(run: Run, test: Predictions, say: Language) -> list[Any]:
    lines = {name: _lines(test, name, run.shares) for name in run.drawn}
    colours = class_colours(run.drawn, run.positive)
    first = roc({name: line[0] for name, line in lines.items()}, colours, None, say)
    second = {name: line[1] for name, line in lines.items()}
    guess = {name: share for name, share in _shares(run, test).items() if name in lines}
    return [first, precision_recall(second, colours, guess, None, say)]


def _shares(run: Run, test: Predictions) -> dict[str, float]:
    """How frequent each class is where the figures are for: what guessing has for precision."""
    return run.prevalence or {name: float((test.targets == k).mean()) for k, name in enumerate(run.classes)}


def _lines(rows: Predictions, of: str, prevalence: Sequence[float] | None) -> tuple[Line, Line]:
    """ROC and precision-recall points of one class; precision before the first hit is that of the first."""
    curve, pr = roc_points(rows, of), pr_points(rows, of, prevalence=prevalence)
    first = thinned(curve["false_positive_rate"].to_numpy(), curve["sensitivity"].to_numpy())
    recall, precision = pr["recall"].to_numpy(), pr["precision"].to_numpy()
    return first, thinned(np.append(0.0, recall), np.append(precision[:1], precision))


def _points(metrics: dict[str, Any]) -> tuple[Point | None, Point | None]:
    """The operating point on both curves, its intervals those of the scores."""
    sensitivity, specificity, ppv = (metrics.get(name) for name in ("sensitivity", "specificity", "ppv"))
    first: Point | None = None
    second: Point | None = None
    if sensitivity and specificity:
        across = (1 - specificity["high"], 1 - specificity["low"])
        up = (sensitivity["low"], sensitivity["high"])
        first = (1 - specificity["value"], sensitivity["value"], across, up)
    if sensitivity and ppv and ppv["value"] is not None and np.isfinite(ppv["value"]):
        across, up = (sensitivity["low"], sensitivity["high"]), (ppv["low"], ppv["high"])
        second = (sensitivity["value"], ppv["value"], across, up)
    return first, second
