"""Patients: known at all, and one person under each identifier."""

from __future__ import annotations

import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, only

__all__ = ["patients_reused", "patients_unknown"]


def patients_unknown(dataset: Dataset) -> list[Finding]:
    """Cases whose patient is unknown: a split cannot keep their patients on one side."""
    unknown = column(dataset.cases, "patient").is_null()
    if not unknown.any():
        return []
    every = bool(unknown.all())
    evidence = {"images": int(unknown.sum()), "share": round(int(unknown.sum()) / len(unknown), 4)}
    variant = "" if every else "some"
    if searched := dataset.facts.patient_pattern:
        variant, evidence = "pattern", {**evidence, "matched": searched.matched, "paths": searched.paths}
    cases = () if every else tuple(sorted(dataset.cases["case"].filter(unknown)))
    return [Finding("patients_unknown", "warning" if every else "info", cases, evidence=evidence, variant=variant)]


def patients_reused(dataset: Dataset) -> list[Finding]:
    """Identifiers that stand for more than one person: the sex or the year of birth differs between their images."""
    persons = [name for name in ("sex", "sex_birth_hash") if name in dataset.cases.columns]
    if not persons or column(dataset.cases, "patient").is_null().all():
        return []
    known = only(dataset.cases, "case", "patient", *persons).filter(pl.col("patient").is_not_null())
    differs = pl.any_horizontal(pl.col(name).drop_nulls().n_unique().over("patient") > 1 for name in persons)
    reused = known.filter(differs).sort("patient", "case")
    if not reused.height:
        return []
    evidence = {"patients": reused["patient"].n_unique()}
    return [Finding("patients_reused", "warning", tuple(reused["case"]), evidence=evidence)]
