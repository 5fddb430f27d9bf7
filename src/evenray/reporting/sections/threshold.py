"""The confusion matrix, and the slider that moves the threshold over the test predictions."""

from __future__ import annotations

from typing import Any

from evenray.reporting.figures.ranking import HEIGHT
from evenray.reporting.figures.spread import EDGE, spread
from evenray.reporting.folder import Run
from evenray.reporting.language import Language
from evenray.reporting.points import Operating, operating
from evenray.reporting.style import WIDTH, class_colours

__all__ = ["context"]


def context(run: Run, say: Language) -> dict[str, Any] | None:
    found: dict[str, Any] = {"matrix": _matrix(run), "slider": None, "figure": None}
    if run.predictions is not None and not run.predictions.part("test").table.is_empty():
        found |= _slider(run, say)
    return found if found["matrix"] or found["slider"] else None


def _matrix(run: Run) -> list[tuple[str, list[tuple[int, float]]]] | None:
    """The K x K counts of the test part, truth down, with each cell's share of its row."""
    confusion = (run.scores or {}).get("parts", {}).get("test", {}).get("confusion")
    if confusion is None:
        return None
    shares = [[(int(n), n / max(sum(row), 1)) for n in row] for row in confusion]
    return list(zip(run.classes, shares, strict=True))


def _slider(run: Run, say: Language) -> dict[str, Any]:
    assert run.predictions is not None  # the caller looked
    test = run.predictions.part("test")
    chosen = (run.scores or {}).get("threshold") if run.binary else None
    names = [run.positive] if run.binary else list(run.classes)
    tables = []
    for name in names:
        k = run.classes.index(name)
        hit, p = test.targets == k, test.probabilities[:, k]
        start = 0.5 if chosen is None else float(chosen)
        table = operating(hit, p, start)
        share = table.positives / max(len(p), 1) if run.prevalence is None else run.prevalence[name]
        tables.append(_embedded(name, run.negative if run.binary else "", table, start, chosen) | {"share": share})
    figure = None
    if run.binary:
        p = test.probabilities[:, run.classes.index(run.positive)]
        groups = {name: p[test.targets == run.classes.index(name)] for name in (run.positive, run.negative)}
        colours = class_colours(run.classes, run.positive)
        figure = spread(groups, colours, tables[0]["threshold"], say)
    shape = {"width": WIDTH, "height": HEIGHT, "edge": EDGE}
    return {"slider": {"tables": tables, "shape": shape}, "figure": figure, "first": tables[0]}


def _embedded(name: str, negative: str, table: Operating, start: float, chosen: float | None) -> dict[str, Any]:
    """What the page's script needs of one class: the counts at every threshold and where to begin."""
    row = table.row(start)
    found, alarms = int(table.found[row]), int(table.alarms[row])
    total = table.positives + table.negatives
    return {
        "name": name,
        "negative": negative,
        "thresholds": table.thresholds.tolist(),
        "found": table.found.tolist(),
        "alarms": table.alarms.tolist(),
        "positives": table.positives,
        "negatives": table.negatives,
        "row": row,
        "threshold": start,
        "chosen": chosen is not None,
        "counts": [found, table.positives - found, alarms, table.negatives - alarms],
        "prevalence": table.positives / max(total, 1),
    }
