"""Whether the model does equally well for all groups of patients, as far as the test part can tell."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.groups import ComparedGroup, GroupsRecord
from evenray.reporting.figures.differences import Row, differences
from evenray.reporting.figures.svg import Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

SHOWN_AT = 0.05
MOST = 24  # rows of a figure
FIRST = ("auroc", "balanced_accuracy", "sensitivity", "specificity")


@dataclass(frozen=True)
class Shown:
    record: GroupsRecord
    shown: list[ComparedGroup]
    figures: list[Figure]
    findings: bool


def context(run: RunView, say: Language) -> Shown | None:
    record = run.groups if run.current else None
    if record is None:
        return None
    shown = [each for each in record.compared if each.p_holm < SHOWN_AT]
    findings = any(each.finding for each in record.compared)
    return Shown(record, shown, _figures(record, say), findings)


def _figures(record: GroupsRecord, say: Language) -> list[Figure]:
    """One a metric; of findings, which are many, those of the smallest p alone."""
    found = []
    for metric in FIRST:
        own = [each for each in record.compared if each.metric == metric]
        if len(own) > MOST:
            own = sorted(own, key=lambda each: each.p)[:MOST]
        if not own:
            continue
        rows: list[Row] = [
            (_name(each, say), each.difference, each.low, each.high, each.p_holm < SHOWN_AT) for each in own
        ]
        title = say.name("metric", metric)
        drawn = differences(rows, say("groups.difference"), say("alt.groups", metric=title), say)
        found.append(Figure(title, drawn, ""))
    return found


def _name(each: ComparedGroup, say: Language) -> str:
    group = f"{each.group} – {each.against}" if each.against else each.group
    parts = [each.finding, say.name("group", each.column), group]
    return ": ".join(part for part in parts if part)
