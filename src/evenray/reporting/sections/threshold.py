"""The confusion matrix, and the slider that moves the threshold over the test predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evenray.core.types import Predictions
from evenray.metrics.intervals import wilson
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
class Rate:
    """A figure at the threshold: in the test part with its interval, None where it has none, and at the prevalence believed."""

    name: str
    here: str
    interval: str | None
    there: str


@dataclass(frozen=True)
class Shown:
    matrix: list[tuple[str, list[tuple[int, float]]]] | None
    slider: Script | None
    first: Script | None
    figure: Figure | None
    rates: list[Rate]
    people: dict[str, str]


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
    if first is None:
        return Shown(matrix, None, None, None, [], {}) if matrix else None
    return Shown(matrix, slider, first, figure, _rates(first, say), _people(first, say))


def net_benefit(hits: float, alarms: float, threshold: float) -> float:
    """The share of true positives less that of false ones at the odds of the threshold (Vickers & Elkin 2006).

    >>> net_benefit(0.5, 0.25, 0.5), net_benefit(0.0, 0.0, 1.0), net_benefit(0.1, 0.2, 1.0)
    (0.25, 0.0, nan)
    """
    if not alarms:
        return hits
    return hits - alarms * threshold / (1 - threshold) if threshold < 1 else float("nan")


def _rates(first: Script, say: Language) -> list[Rate]:
    """The table that the script then moves: so that it stands there without one too."""
    tp, fn, fp, tn = first["counts"]
    P, N, threshold, share = tp + fn, fp + tn, first["threshold"], first["share"]
    found, cleared = tp / P if P else float("nan"), tn / N if N else float("nan")
    hits, alarms = share * found, (1 - share) * (1 - cleared)
    there = {
        "sensitivity": found, "specificity": cleared, "ppv": _over(hits, hits + alarms),
        "npv": _over((1 - share) * cleared, (1 - share) * cleared + share * (1 - found)),
    }  # fmt: skip
    counts = {"sensitivity": (tp, P), "specificity": (tn, N), "ppv": (tp, tp + fp), "npv": (tn, tn + fn)}
    rates = [
        Rate(name, say.number(_over(k, n)), _wilson(k, n, say), say.number(there[name]))
        for name, (k, n) in counts.items()
    ]
    for name, here, elsewhere in (
        ("net_benefit", (tp / (P + N), fp / (P + N)), (hits, alarms)),
        ("treat_all", (P / (P + N), N / (P + N)), (share, 1 - share)),
    ):
        one, other = (say.signed(net_benefit(*pair, threshold)).removeprefix("+") for pair in (here, elsewhere))
        rates.append(Rate(name, one, None, other))
    return rates


def _over(k: float, n: float) -> float:
    return k / n if n else float("nan")


def _wilson(k: int, n: int, say: Language) -> str:
    if not n:
        return ""
    low, high = wilson([k], [n])
    return f"[{say.number(float(low[0]))}, {say.number(float(high[0]))}]"


def _people(first: Script, say: Language) -> dict[str, str]:
    """What the threshold does to ten thousand people, or a hundred thousand where few of them have it."""
    tp, fn, fp, tn = first["counts"]
    share = first["share"]
    people = 100_000 if share < 0.002 else 10_000
    positives = round(people * share)
    hits, alarms = round(people * share * _or_0(tp, tp + fn)), round(people * (1 - share) * _or_0(fp, fp + tn))
    told = {
        "people": people, "positives": positives, "tp": hits, "fn": positives - hits, "negatives": people - positives, "fp": alarms,
    }  # fmt: skip
    return {name: say.count(n) for name, n in told.items()} | {"positive": first["name"], "negative": first["negative"]}


def _or_0(k: int, n: int) -> float:
    return k / n if n else 0.0


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
