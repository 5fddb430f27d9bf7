"""Every finding by itself: its figures in one table, and the curves of each to be opened."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.scores import Figure, ScoresRecord
from evenray.reporting.findings import FindingView, finding_views
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

from . import calibration, metrics, practice, ranking

__all__ = ["context"]

TOLD = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "f1", "brier", "log_loss")
SECTIONS = {"ranking": ranking, "calibration": calibration, "metrics": metrics, "practice": practice}


@dataclass(frozen=True)
class Row:
    """A finding: of how many test images it is known, how many of these have it, and its figures."""

    name: str
    record: ScoresRecord
    known: int
    present: int
    figures: list[Figure | None]
    averaged: bool


@dataclass(frozen=True)
class Shown:
    told: tuple[str, ...]
    rows: list[Row]
    means: list[Figure | None]
    averaged: int
    rule: str
    refused: list[str]
    each: list[tuple[FindingView, dict[str, object]]]


def context(run: RunView, say: Language) -> Shown | None:
    results, test = run.results, run.test
    if results is None or test is None:
        return None
    rows = []
    for name, record in results.findings.items():
        own = record.parts.get("test")
        figures = [own.metrics.get(metric) if own else None for metric in TOLD]
        counts = list(own.counts.values()) if own else [0, 0]
        rows.append(Row(name, record, sum(counts), counts[1], figures, name in results.averaged))
    views = {n: view for n, view in finding_views(run, say).items() if results.findings[n].decision_curve}
    return Shown(
        told=TOLD,
        rows=sorted(rows, key=lambda row: -row.present),
        means=[test.metrics.get(metric) for metric in TOLD],
        averaged=len(results.averaged), rule=results.threshold_rule or "",
        refused=results.untold,
        each=[(view, {name: one.context(view, say) for name, one in SECTIONS.items()}) for view in views.values()],
    )  # fmt: skip
