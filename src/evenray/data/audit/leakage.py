"""Leakage: the same patient, study or image in more than one part of the split."""

from __future__ import annotations

import polars as pl

from evenray.core.types import Dataset, Finding

from ._near import near_groups
from ._table import column, group_sizes, only
from .duplicates import duplicate_groups

__all__ = ["leakage_duplicates", "leakage_near_duplicates", "leakage_patients", "leakage_sites"]


def leakage_patients(dataset: Dataset) -> list[Finding]:
    """Patients (or studies, where only they are known) with cases in more than one part."""
    for who in ("patient", "study"):
        crossing = _crossing(dataset.cases, who)
        if crossing.height:
            return [
                Finding(
                    "leakage_patients",
                    "error",
                    "Patients on both sides of a split",
                    "Results on the test part are too good when the network has seen its patients. Split again by "
                    "patient; or, if identifiers start anew in each part, tell the parts apart in --patient.",
                    tuple(crossing.sort(who, "case")["case"]),
                    {
                        "patients": crossing[who].n_unique(),
                        "images": crossing.height,
                        "identified_by": who,
                        **_parts_of(crossing, who),
                    },
                )
            ]
    return []


def leakage_duplicates(dataset: Dataset) -> list[Finding]:
    """Identical images in more than one part: an error where the test part is one of them."""
    groups = [group for group in duplicate_groups(dataset.cases) if column(group, "part").drop_nulls().n_unique() > 1]
    tested = [group for group in groups if (group["part"] == "test").any()]
    others = [group for group in groups if not (group["part"] == "test").any()]
    found = []
    if tested:
        advice = "The network is tested on images that it has learnt. Exclude the copies in train and validation."
        inside = sum(int((group["part"] == "test").sum()) for group in tested)
        share = round(inside / int((dataset.cases["part"] == "test").sum()), 4)
        found.append(_copies(tested, "error", "Test images that are also in another part", advice, share_of_test=share))
    if others:
        advice = (
            "The operating point and the best epoch are chosen on images that were learnt. Exclude one of each group."
        )
        found.append(_copies(others, "warning", "Images in both train and validation", advice))
    return found


def leakage_near_duplicates(dataset: Dataset) -> list[Finding]:
    """Nearly identical images in more than one part."""
    groups = [group for group in near_groups(dataset) if group.parts_differ]
    if not groups:
        return []
    named = [group.cases for group in sorted(groups, key=lambda group: (-group.correlation, group.cases))]
    return [
        Finding(
            "leakage_near_duplicates",
            "warning",
            "Nearly identical images in different parts",
            "They are copies or neighbouring exposures of one patient: results on them are too good. Look at each group, "
            "and exclude the copies outside the test part.",
            tuple(name for group in named for name in group),
            {"groups": len(named), "images": sum(map(len, named)), "group_sizes": group_sizes(named)},
        )
    ]


def leakage_sites(dataset: Dataset) -> list[Finding]:
    """Sets of several sites whose test part has none of its own: it says nothing about a site that was not trained on."""
    crossing = _crossing(dataset.cases, "site")
    if not crossing.height or dataset.cases["site"].n_unique() < 2:
        return []
    tested = dataset.cases["site"].filter(dataset.cases["part"] == "test")
    if not tested.len() or not tested.is_in(crossing["site"].unique().implode()).fill_null(False).all():
        return []
    return [
        Finding(
            "leakage_sites",
            "info",
            "The test part comes from the sites of training",
            "It is an internal test: at another site results are usually worse. Keep one site aside as an external test.",
            evidence={"sites": crossing["site"].n_unique()},
        )
    ]


def _crossing(cases: pl.DataFrame, who: str) -> pl.DataFrame:
    if who not in cases.columns or "part" not in cases.columns:
        return cases.clear()
    known = only(cases, "case", "part", who).filter(
        pl.col(who).is_not_null() & pl.col("part").is_in(["train", "validation", "test"])
    )
    return known.filter(pl.col("part").n_unique().over(who) > 1)


def _parts_of(crossing: pl.DataFrame, who: str) -> dict[str, int]:
    """How many of them stand in each pair of parts."""
    sides = crossing.group_by(who).agg(pl.col("part").unique().sort().str.join("+"))
    return {f"in_{parts}": count for parts, count in sorted(sides["part"].value_counts().iter_rows())}


def _copies(groups: list[pl.DataFrame], severity: str, title: str, advice: str, **more: float) -> Finding:
    named = sorted(tuple(group["case"].to_list()) for group in groups)
    return Finding(
        "leakage_duplicates",
        severity,  # type: ignore[arg-type]
        title,
        advice,
        tuple(name for group in named for name in group),
        {"groups": len(named), "images": sum(map(len, named)), **more, "group_sizes": group_sizes(named)},
    )
