"""Leakage: the same patient, study or image in more than one part of the split."""

from __future__ import annotations

import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, grouped, only
from ._near_search import near_groups
from .duplicates import case_names, duplicate_groups

__all__ = ["leakage_duplicates", "leakage_near_duplicates", "leakage_patients", "leakage_sites"]


def leakage_patients(dataset: Dataset) -> list[Finding]:
    """Patients (or studies, where only they are known) with cases in more than one part."""
    for who in ("patient", "study"):
        crossing = _crossing(dataset.cases, who)
        if crossing.height:
            sides = crossing.group_by(who).agg(pl.col("part").unique().sort().str.join("+"))
            parts = dict(sorted(sides["part"].value_counts().iter_rows()))
            evidence = {"patients": sides.height, "identified_by": who, "in_parts": parts}
            return [Finding("leakage_patients", "error", tuple(crossing.sort(who, "case")["case"]), evidence=evidence)]
    return []


def leakage_duplicates(dataset: Dataset) -> list[Finding]:
    """Identical images in more than one part: an error where the test part is one of them."""
    groups = [group for group in duplicate_groups(dataset.cases) if column(group, "part").drop_nulls().n_unique() > 1]
    tested = [group for group in groups if (group["part"] == "test").any()]
    others = [group for group in groups if not (group["part"] == "test").any()]
    found = grouped("leakage_duplicates", "warning", case_names(others), "validation")
    if tested:
        inside = sum(int((group["part"] == "test").sum()) for group in tested)
        share = inside / int((dataset.cases["part"] == "test").sum())
        found += grouped("leakage_duplicates", "error", case_names(tested), share_of_test=share)
    return found


def leakage_near_duplicates(dataset: Dataset) -> list[Finding]:
    """Nearly identical images in more than one part."""
    groups = [group for group in near_groups(dataset) if group.parts_differ]
    named = [group.cases for group in sorted(groups, key=lambda group: (-group.correlation, group.cases))]
    return grouped("leakage_near_duplicates", "warning", named)


def leakage_sites(dataset: Dataset) -> list[Finding]:
    """Sets of several sites whose test part has none of its own: it says nothing about a site that was not trained on."""
    crossing = _crossing(dataset.cases, "site")
    if not crossing.height or dataset.cases["site"].n_unique() < 2:
        return []
    tested = dataset.cases["site"].filter(dataset.cases["part"] == "test")
    if not tested.len() or not tested.is_in(crossing["site"].unique().implode()).fill_null(False).all():
        return []
    return [Finding("leakage_sites", "info", evidence={"sites": crossing["site"].n_unique()})]


def _crossing(cases: pl.DataFrame, who: str) -> pl.DataFrame:
    if who not in cases.columns or "part" not in cases.columns:
        return cases.clear()
    known = only(cases, "case", "part", who).filter(
        pl.col(who).is_not_null() & pl.col("part").is_in(["train", "validation", "test"])
    )
    return known.filter(pl.col("part").n_unique().over(who) > 1)
