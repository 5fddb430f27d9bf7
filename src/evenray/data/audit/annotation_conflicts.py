"""Copies of one image that are annotated in different ways."""

from __future__ import annotations

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, grouped
from ._marks import signatures
from .duplicates import case_names, duplicate_groups

__all__ = ["annotation_conflicts"]


def annotation_conflicts(dataset: Dataset) -> list[Finding]:
    """Identical images with other masks or boxes; in more than one part an error: the same image is learnt and tested against
    different answers."""
    if dataset.facts.task not in ("segment", "detect"):
        return []
    said = dict(zip(dataset.cases["case"], signatures(dataset.cases), strict=True))
    groups = [g for g in duplicate_groups(dataset.cases) if len({said[name] for name in g["case"]}) > 1]
    crossing = [group for group in groups if column(group, "part").drop_nulls().n_unique() > 1]
    within = [group for group in groups if column(group, "part").drop_nulls().n_unique() <= 1]
    return [
        *grouped("annotation_conflicts", "error", case_names(crossing), "parts"),
        *grouped("annotation_conflicts", "warning", case_names(within)),
    ]
