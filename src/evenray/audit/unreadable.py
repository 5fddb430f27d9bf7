"""Unreadable files: what the scan set aside, with the reasons counted."""

from __future__ import annotations

from evenray.core.types import Dataset, Finding

from ._table import values_text

__all__ = ["unreadable"]


def unreadable(dataset: Dataset) -> list[Finding]:
    """Files that could not be decoded (truncated, damaged, a codec that is not installed)."""
    if not dataset.rejected.height:
        return []
    total = dataset.rejected.height + dataset.cases["file"].n_unique() if "file" in dataset.cases.columns else 0
    return [
        Finding(
            "unreadable",
            "warning",
            "Files that cannot be read",
            "They are set aside; rejected.csv names each file with its reason. Fetch them again, or install the codec "
            "that the reason names.",
            evidence={
                "files": dataset.rejected.height,
                "share": dataset.rejected.height / total if total else 1.0,
                "reasons": values_text(dataset.rejected["reason"]),
            },
        )
    ]
