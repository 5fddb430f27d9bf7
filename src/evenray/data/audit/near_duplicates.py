"""Near duplicates: the same exposure again, re-compressed, resized, brightened, cropped by a hair, or in negative."""

from __future__ import annotations

from evenray.core.types import Dataset, Finding

from ._near import NearGroup, near_groups
from ._table import group_sizes

__all__ = ["near_duplicates", "negatives"]


def near_duplicates(dataset: Dataset) -> list[Finding]:
    """Groups of nearly equal images: a warning where their labels or patients differ, else a remark."""
    groups = near_groups(dataset)
    apart = [group for group in groups if group.labels_differ or group.patients_differ]
    close = [group for group in groups if not (group.labels_differ or group.patients_differ)]
    found = []
    if apart:
        found.append(
            _finding(
                apart,
                "near_duplicates",
                "warning",
                "Nearly identical images with different labels or patients",
                "Look at each group: copies under two patients cross a split by patient, and of two labels one is wrong.",
            )
        )
    if close:
        found.append(
            _finding(
                close,
                "near_duplicates",
                "info",
                "Nearly identical images",
                "Copies that were resized or compressed again, or neighbouring frames; they count more than once. "
                "Keep one of each group unless they are exposures of their own.",
            )
        )
    return found


def negatives(dataset: Dataset) -> list[Finding]:
    """Images that are negatives of each other: one of them has the wrong polarity."""
    groups = near_groups(dataset, negative=True)
    if not groups:
        return []
    return [
        _finding(
            groups,
            "negatives",
            "warning",
            "Images that are negatives of each other",
            "One of each group has its polarity wrong: check the photometric interpretation (MONOCHROME1 or 2) of the files.",
        )
    ]


def _finding(groups: list[NearGroup], check: str, severity: str, title: str, advice: str) -> Finding:
    ordered = sorted(groups, key=lambda group: (-group.correlation, group.cases))
    return Finding(
        check,
        severity,  # type: ignore[arg-type]
        title,
        advice,
        tuple(name for group in ordered for name in group.cases),
        {
            "groups": len(ordered),
            "images": sum(len(group.cases) for group in ordered),
            "lowest_correlation": min(group.correlation for group in ordered),
            "groups_of_several_labels": sum(group.labels_differ for group in ordered),
            "groups_of_several_patients": sum(group.patients_differ for group in ordered),
            "groups_of_several_sizes": sum(group.sizes_differ for group in ordered),
            "group_sizes": group_sizes(group.cases for group in ordered),
        },
    )
