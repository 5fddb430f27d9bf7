"""Unreadable files: what the scan set aside, with the reasons counted."""

from __future__ import annotations

import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, counted

__all__ = ["unreadable"]


def unreadable(dataset: Dataset) -> list[Finding]:
    """Files that could not be decoded (truncated, damaged, a codec that is not installed)."""
    if not dataset.rejected.height:
        return []
    files = dataset.rejected.height
    share = round(files / (files + _read(dataset)), 4)
    evidence = {"files": files, "share": share, "reasons": counted(dataset.rejected["reason"])}
    return [Finding("unreadable", "warning", evidence=evidence)]


def _read(dataset: Dataset) -> int:
    """How many files were read, each image of an archive for one."""
    places = dataset.cases.select(file=column(dataset.cases, "file"), fragment=column(dataset.cases, "fragment"))
    archived = pl.col("fragment").fill_null("").str.contains("/", literal=True)
    return places.filter(archived).height + places.filter(~archived)["file"].n_unique()
