"""Class counts, their imbalance, and the accuracy of the majority-class baseline."""

from __future__ import annotations

from typing import Any

from evenray.core.findings import Finding, Severity
from evenray.core.types import Dataset

__all__ = ["classes"]

IMBALANCED = 3.0  # times as many cases of the largest class as of the smallest
FEW = 10  # cases of a class below which nothing can be estimated


def classes(dataset: Dataset) -> list[Finding]:
    """Classes with hardly any case or none; the imbalance ratio and the accuracy of the majority-class baseline."""
    counts = dataset.counts
    if not counts:
        return [Finding("classes", "error", variant="missing")]
    smallest, largest = min(counts, key=lambda name: counts[name]), max(counts, key=lambda name: counts[name])
    few, most, found = counts[smallest], counts[largest], []
    if few < FEW:
        evidence: dict[str, Any] = {"counts": counts, "smallest_class": smallest}
        severity: Severity = "error" if few < 2 else "warning"
        found.append(Finding("classes", severity, evidence=evidence, variant="missing" if few < 2 else "few"))
    if few and most / few >= IMBALANCED:
        evidence = {
            "counts": counts, "majority": largest, "imbalance_ratio": round(most / few, 2),
            "majority_accuracy": round(most / sum(counts.values()), 4),
        }  # fmt: skip
        found.append(Finding("classes", "info", evidence=evidence, variant="imbalanced"))
    return found
