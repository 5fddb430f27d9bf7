"""Parts: is each one large enough to tell one strategy from another?"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import polars as pl

from evenray.core.findings import Finding, Severity
from evenray.core.patient_groups import patient_groups
from evenray.core.types import PARTS, Dataset

from ._cases import column, only

__all__ = ["detectable_difference", "parts"]

AUROC = 0.85  # the typical AUROC at which the difference is asked for
CORRELATION = 0.5  # of the two AUROCs, measured on the same cases
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


def detectable_difference(
    positives: int, negatives: int, auroc: float = AUROC, correlation: float = CORRELATION, power: float = 0.8
) -> float:
    """The smallest difference of two AUROCs, measured on the same cases, that a test at 5 % sees with this power.

    (z(0.975) + z(power)) SE sqrt(2 (1 - correlation)), with the standard error of Hanley and McNeil (Radiology 1982,
    equation 2) and their correlation of paired curves (Radiology 1983).

    >>> round(detectable_difference(42, 114), 3)
    0.11
    """
    q1, q2 = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    spread = auroc * (1 - auroc) + (positives - 1) * (q1 - auroc**2) + (negatives - 1) * (q2 - auroc**2)
    error = math.sqrt(spread / (positives * negatives)) * math.sqrt(2 * (1 - correlation))
    return (NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(power)) * error


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
