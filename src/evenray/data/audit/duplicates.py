"""Exact duplicates: cases whose decoded pixels are the same, whatever their files are called."""

from __future__ import annotations

import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, grouped, only

__all__ = ["case_names", "duplicate_groups", "duplicates", "label_conflicts"]


def duplicate_groups(cases: pl.DataFrame) -> list[pl.DataFrame]:
    """The groups of cases with equal pixels (column pixel_hash), each with its cases in order of their names.

    Blank images are no duplicates of each other.

    >>> table = pl.DataFrame({"case": ["b", "a", "c"], "pixel_hash": ["x", "x", "y"]})
    >>> [group["case"].to_list() for group in duplicate_groups(table)]
    [['a', 'b']]
    """
    if "pixel_hash" not in cases.columns:
        return []
    known = only(cases, "case", "pixel_hash", "std", "label", "patient", "part")
    known = known.filter(pl.col("pixel_hash").is_not_null() & pl.col("pixel_hash").is_duplicated())
    if "std" in known.columns:
        known = known.filter(pl.col("std") > 0)
    groups = known.sort("case").partition_by("pixel_hash", maintain_order=True)
    return [group for group in groups if group.height > 1]


def duplicates(dataset: Dataset) -> list[Finding]:
    """Identical images with one label: of one patient a remark, under several patients a warning."""
    groups = [group for group in duplicate_groups(dataset.cases) if group["label"].n_unique() == 1]
    several = [group for group in groups if column(group, "patient").drop_nulls().n_unique() > 1]
    same = [group for group in groups if column(group, "patient").drop_nulls().n_unique() <= 1]
    return [
        *grouped("duplicates", "warning", case_names(several), "patients"),
        *grouped("duplicates", "info", case_names(same)),
    ]


def label_conflicts(dataset: Dataset) -> list[Finding]:
    """Identical images with different labels: at least one of the labels is wrong."""
    groups = [group for group in duplicate_groups(dataset.cases) if group["label"].n_unique() > 1]
    return grouped("label_conflicts", "error", case_names(groups))


def case_names(groups: list[pl.DataFrame]) -> list[tuple[str, ...]]:
    """The case names of each group, the groups in order of these."""
    return sorted(tuple(group["case"].to_list()) for group in groups)
