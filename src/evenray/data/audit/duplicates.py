"""Exact duplicates: cases whose decoded pixels are the same, whatever their files are called."""

from __future__ import annotations

import polars as pl

from evenray.core.types import Dataset, Finding

from ._table import column, group_sizes, only

__all__ = ["duplicate_groups", "duplicates", "label_conflicts"]


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
    found = []
    if several:
        found.append(
            _finding(
                several,
                "duplicates",
                "warning",
                "Identical images under different patients",
                "One of the identifiers is wrong, so a split by patient does not keep them apart. Keep one of each group.",
            )
        )
    if same:
        found.append(
            _finding(
                same,
                "duplicates",
                "info",
                "Identical images",
                "A repeated image counts twice in training and makes intervals too narrow in testing. Keep one of each.",
            )
        )
    return found


def label_conflicts(dataset: Dataset) -> list[Finding]:
    """Identical images with different labels: at least one of the labels is wrong."""
    groups = [group for group in duplicate_groups(dataset.cases) if group["label"].n_unique() > 1]
    if not groups:
        return []
    return [
        _finding(
            groups,
            "label_conflicts",
            "error",
            "Identical images with different labels",
            "At least one label of each group is wrong. Look the case up and correct it, or exclude the whole group.",
        )
    ]


def _finding(groups: list[pl.DataFrame], check: str, severity: str, title: str, advice: str) -> Finding:
    named = sorted(tuple(group["case"].to_list()) for group in groups)
    return Finding(
        check,
        severity,  # type: ignore[arg-type]
        title,
        advice,
        tuple(name for group in named for name in group),
        {"groups": len(named), "images": sum(map(len, named)), "group_sizes": group_sizes(named)},
    )
