"""Patients: known at all, and one person under each identifier."""

from __future__ import annotations

import polars as pl

from evenray.core.types import Dataset, Finding

from ._table import column, only

__all__ = ["patients_reused", "patients_unknown"]


def patients_unknown(dataset: Dataset) -> list[Finding]:
    """Cases whose patient is unknown: a split cannot keep their patients on one side."""
    unknown = column(dataset.cases, "patient").is_null()
    if not unknown.any():
        return []
    every = bool(unknown.all())
    fix = "Name the patient by a column of the table or by --patient REGEX."
    if searched := dataset.facts.get("patient_pattern"):
        fix = (
            f"The pattern of --patient matched {searched['matched']} of {searched['paths']} paths: mend it, or name the patient"
            " by a column of the table."
        )
    return [
        Finding(
            "patients_unknown",
            "warning" if every else "info",
            "Patients are unknown" if every else "The patient of some cases is unknown",
            "Each study (each file where the study is unknown too) counts as a patient of its own, so images of one person "
            f"may stand on both sides of a split and make every result too good. {fix}",
            () if every else tuple(sorted(dataset.cases["case"].filter(unknown))),
            {"images": int(unknown.sum()), "share": round(int(unknown.sum()) / len(unknown), 4)},
        )
    ]


def patients_reused(dataset: Dataset) -> list[Finding]:
    """Identifiers that stand for more than one person: the sex or the year of birth differs between their images."""
    persons = [name for name in ("sex", "sex_birth_hash") if name in dataset.cases.columns]
    if not persons or column(dataset.cases, "patient").is_null().all():
        return []
    known = only(dataset.cases, "case", "patient", *persons).filter(pl.col("patient").is_not_null())
    differs = pl.any_horizontal(pl.col(name).drop_nulls().n_unique().over("patient") > 1 for name in persons)
    reused = known.filter(differs)
    if not reused.height:
        return []
    return [
        Finding(
            "patients_reused",
            "warning",
            "Patient identifiers that are used for several persons",
            "Sex or year of birth differs between images of one identifier. Make the identifiers unique, by adding the "
            "site or the study, before splitting by patient.",
            tuple(reused.sort("patient", "case")["case"]),
            {"patients": reused["patient"].n_unique(), "images": reused.height},
        )
    ]
