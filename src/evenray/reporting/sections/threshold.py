"""The confusion matrix, and the slider that moves the threshold over the test predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evenray.core.types import Predictions
from evenray.reporting.figures.ranking import HEIGHT
from evenray.reporting.figures.spread import EDGE, spread
from evenray.reporting.figures.svg import WIDTH, Figure, class_colours
from evenray.reporting.findings import finding_views
from evenray.reporting.language import Language
from evenray.reporting.points import operating
from evenray.reporting.view import RunView

__all__ = ["context"]

Script = dict[str, Any]  # what the page's script reads


@dataclass(frozen=True)
class Shown:
    matrix: list[tuple[str, list[tuple[int, float]]]] | None
    slider: Script | None
    first: Script | None
    figure: Figure | None


def context(run: RunView, say: Language) -> Shown | None:
    matrix, figure = _matrix(run), None
    slider: Script | None = None
    first: Script | None = None
    if run.predictions is not None and not (test := run.predictions.part("test")).table.is_empty():
        chosen = run.results.threshold if run.results and run.binary else None
        names = [run.positive] if run.binary else list(run.classes)
        tables = _of_findings(run, say) if run.tags else [_table(run, test, name, chosen) for name in names]
        shape = {"width": WIDTH, "height": HEIGHT, "edge": EDGE}  # of the figures whose dots the page's script moves
        if tables:
            slider, first = {"tables": tables, "shape": shape}, tables[0]
        if run.binary and first:
            p, pair = test.probabilities[:, run.classes.index(run.positive)], (run.positive, run.negative)
            groups = {name: p[test.targets == run.classes.index(name)] for name in pair}
            drawn = spread(groups, class_colours(run.classes, run.positive), first["threshold"], say)
            figure = Figure(say("threshold.spread"), drawn, say("threshold.spread_caption"))
    return Shown(matrix, slider, first, figure) if matrix or slider else None


def _of_findings(run: RunView, say: Language) -> list[Script]:
    """The table of each finding that the test part has both with and without, at the threshold that was chosen for it."""
    found = []
    for name, view in finding_views(run, say).items():
        own = view.predictions
        if own is not None and view.results is not None and len(np.unique(own.part("test").targets)) == 2:
            found.append(_table(view, own.part("test"), name, view.results.threshold))
    return found


def _matrix(run: RunView) -> list[tuple[str, list[tuple[int, float]]]] | None:
    """The K x K counts of the test part, truth down, with each cell's share of its row."""
    if run.test is None or not run.test.confusion:
        return None
    shares = [[(n, n / max(sum(row), 1)) for n in row] for row in run.test.confusion]
    return list(zip(run.classes, shares, strict=True))


def _table(run: RunView, test: Predictions, name: str, chosen: float | None) -> Script:
    """What the page's script needs of one class: the counts at every threshold and where to begin."""
    k, start = run.classes.index(name), 0.5 if chosen is None else float(chosen)
    table = operating(test.targets == k, test.probabilities[:, k], start)
    row = table.row(start)
    tp, fp = int(table.true_positives[row]), int(table.false_positives[row])
    prevalence = table.positives / max(table.positives + table.negatives, 1)
    return {
        "name": name,
        "negative": run.negative if run.binary else "",
        "thresholds": table.thresholds.tolist(),
        "true_positives": table.true_positives.tolist(),
        "false_positives": table.false_positives.tolist(),
        "positives": table.positives,
        "negatives": table.negatives,
        "row": row,
        "threshold": start,
        "chosen": chosen is not None,
        "counts": [tp, table.positives - tp, fp, table.negatives - fp],
        "prevalence": prevalence,
        "share": prevalence if run.prevalence is None else run.prevalence[name],
    }
