"""Near duplicates: the same exposure again, re-compressed, resized, brightened, cropped by a hair, or in negative."""

from __future__ import annotations

from evenray.core.findings import Finding, Severity
from evenray.core.types import Dataset

from ._cases import grouped
from ._near_search import NearGroup, near_groups

__all__ = ["near_duplicates", "negatives"]


def near_duplicates(dataset: Dataset) -> list[Finding]:
    """Groups of nearly equal images: a warning where their labels or patients differ, else a remark."""
    groups = near_groups(dataset)
    apart = [group for group in groups if group.labels_differ or group.patients_differ]
    close = [group for group in groups if not (group.labels_differ or group.patients_differ)]
    return [*_near(apart, "near_duplicates", "warning", "differ"), *_near(close, "near_duplicates", "info")]


def negatives(dataset: Dataset) -> list[Finding]:
    """Images that are negatives of each other: one of them has the wrong polarity."""
    return _near(near_groups(dataset, negative=True), "negatives", "warning")


def _near(groups: list[NearGroup], check: str, severity: Severity, variant: str = "") -> list[Finding]:
    ordered = sorted(groups, key=lambda group: (-group.correlation, group.cases))
    differ = {
        "label": sum(group.labels_differ for group in groups),
        "patient": sum(group.patients_differ for group in groups),
        "size": sum(group.sizes_differ for group in groups),
    }
    return grouped(
        check, severity, [group.cases for group in ordered], variant,
        lowest_correlation=min((group.correlation for group in groups), default=1),
        groups_that_differ={what: count for what, count in differ.items() if count},
    )  # fmt: skip
