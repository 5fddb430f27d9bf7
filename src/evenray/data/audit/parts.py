"""Parts: is each one large enough to tell one strategy from another?"""

from __future__ import annotations

from typing import Any

import polars as pl

from evenray.core.findings import Finding, Severity
from evenray.core.patient_groups import patient_groups
from evenray.core.types import PARTS, Dataset
from evenray.metrics.sample_size import detectable_difference

from ._cases import column, only

__all__ = ["parts"]

COARSE = 0.1  # a smallest difference of AUROC above this tells hardly any two strategies apart
FEW = 10


def parts(dataset: Dataset) -> list[Finding]:
    """Classes missing from a part; validation and test parts too small to see a difference of 0.1 in AUROC."""
    known = column(dataset.cases, "part")
    found = []
    for part in PARTS:
        cases = only(dataset.cases, "label").with_columns(patient=patient_groups(dataset.cases)).filter(known == part)
        if not cases.height:
            continue
        counts = {name: _independent(cases.filter(pl.col("label") == name)) for name in dataset.classes}
        if min(counts.values()) == 0:
            found.append(_finding("error", "missing_class", part, counts))
        elif part != "train" and (_worst(counts) > COARSE or min(counts.values()) < FEW):
            found.append(_finding("warning", "small", part, counts))
        elif part != "train" and _worst(counts) > COARSE / 2:
            found.append(_finding("info", "coarse", part, counts))
    return found


def _independent(cases: pl.DataFrame) -> int:
    """Patients, or images where patients are unknown: ten images of one patient are one observation, nearly."""
    who = column(cases, "patient")
    return int(who.drop_nulls().n_unique() + who.null_count())


def _worst(counts: dict[str, int]) -> float:
    """The smallest difference that can be detected for the class of which the part has least."""
    total = sum(counts.values())
    return max(detectable_difference(count, total - count) for count in counts.values())


def _finding(severity: Severity, variant: str, part: str, counts: dict[str, int]) -> Finding:
    smallest = min(counts, key=lambda name: counts[name])
    evidence: dict[str, Any] = {"part": part, "smallest_class": smallest, "patients": counts[smallest]}
    if counts[smallest]:
        evidence["detectable_difference"] = round(_worst(counts), 4)
    return Finding("parts", severity, evidence=evidence, variant=variant)
