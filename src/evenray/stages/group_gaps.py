"""Differences between groups of patients on the test part, corrected for how many are looked at."""

from __future__ import annotations

from evenray.core.artefacts.groups import ComparedGroup, GroupsRecord
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.events import Events
from evenray.core.types import Predictions
from evenray.learning.tasks.table import GROUPS
from evenray.metrics import each_repeat, holm
from evenray.metrics.group_differences import detectable, group_differences

__all__ = ["group_gaps", "tell_gaps"]

SHOWN_AT = 0.05  # of the corrected p


def group_gaps(test: Predictions, scores: ScoresRecord) -> GroupsRecord | None:
    """Every column that tells groups apart; of a cross-validation in its first repeat. None where there is no such column."""
    first = each_repeat(test)[0]
    columns = [name for name in GROUPS if name in first.table.columns and first.table[name].drop_nulls().n_unique() > 1]
    if not columns:
        return None
    if scores.findings:
        asked = {name: (first.finding(name), scores.findings[name].threshold) for name in first.classes}
    else:
        asked = {"": (first, scores.threshold)}
    found = [
        (name, each)
        for name, (own, threshold) in asked.items()
        if not own.table.is_empty()
        for each in group_differences(own, columns, None if first.folds is not None else threshold)
    ]
    corrected = holm([each.p for _, each in found])
    compared = tuple(
        ComparedGroup(finding=name, **vars(each), p_holm=float(p), detectable=detectable(each.error, len(found)))
        for (name, each), p in zip(found, corrected, strict=True)
    )
    seen = {each.column for each in compared}
    return GroupsRecord(compared=compared, left_out=tuple(name for name in columns if name not in seen))


def tell_gaps(record: GroupsRecord, events: Events) -> None:
    """Warn of every difference that chance does not explain."""
    for each in record.compared:
        if each.p_holm < SHOWN_AT:
            events.tell(
                "evaluate.group_gap", "warning", metric=each.metric, by=each.column, group=each.group,
                difference=each.difference, low=each.low, high=each.high, p=each.p_holm, finding=each.finding,
                variant="finding" if each.finding else "",
            )  # fmt: skip
