"""Unreadable files: what the scan set aside, with the reasons counted."""

from __future__ import annotations

import polars as pl

from evenray.core.types import Dataset, Finding

from ._table import column, values_text

__all__ = ["unreadable"]


def unreadable(dataset: Dataset) -> list[Finding]:
    """Files that could not be decoded (truncated, damaged, a codec that is not installed)."""
    if not dataset.rejected.height:
        return []
    total = dataset.rejected.height + _read(dataset)
    return [
        Finding(
            "unreadable",
            "warning",
            "Files that cannot be read",
            "They are set aside; rejected.csv names each file with its reason. Fetch them again, or install the codec "
            "that the reason names.",
            evidence={
                "files": dataset.rejected.height,
                "share": round(dataset.rejected.height / total, 4),
                "reasons": values_text(dataset.rejected["reason"]),
            },
        )
    ]


def _read(dataset: Dataset) -> int:
    """How many files were read, each image of an archive for one."""
    places = dataset.cases.select(file=column(dataset.cases, "file"), fragment=column(dataset.cases, "fragment"))
    archived = pl.col("fragment").fill_null("").str.contains("/", literal=True)
    return places.filter(archived).height + places.filter(~archived)["file"].n_unique()
