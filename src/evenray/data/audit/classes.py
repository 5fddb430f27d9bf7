"""Class counts, their imbalance, and what always answering the majority would score."""

from __future__ import annotations

from evenray.core.types import Dataset, Finding

__all__ = ["classes"]

IMBALANCED = 3.0  # times as many cases of the largest class as of the smallest
FEW = 10  # cases of a class below which nothing can be estimated


def classes(dataset: Dataset) -> list[Finding]:
    """Imbalance ratio and accuracy of the always-majority answer; classes without or with hardly any case."""
    counts = dataset.counts
    total, largest, smallest = sum(counts.values()), max(counts.values(), default=0), min(counts.values(), default=0)
    evidence: dict[str, float | int | str] = {
        "counts": ", ".join(f"{name} {count}" for name, count in counts.items()),
        "imbalance_ratio": round(largest / smallest, 2) if smallest else float("inf"),
        "always_majority_accuracy": round(largest / total, 4) if total else 0.0,
    }
    found = []
    if smallest < FEW:
        found.append(
            Finding(
                "classes",
                "error" if smallest < 2 else "warning",
                "A class without enough cases" if smallest < 2 else "A class with very few cases",
                "Nothing can be learnt or tested from so few; find more cases, or join the class with another.",
                evidence={**evidence, "smallest": min(counts, key=lambda name: counts[name]) if counts else ""},
            )
        )
    if smallest and largest / smallest >= IMBALANCED:
        majority = max(counts, key=lambda name: counts[name])
        found.append(
            Finding(
                "classes",
                "info",
                "Classes are imbalanced",
                f"Always answering '{majority}' is right in {largest / total:.1%} of the cases and finds none of the "
                "others: judge by sensitivity, AUROC and AUPRC rather than by accuracy, and compare balance strategies.",
                evidence=evidence,
            )
        )
    return found
