"""Labels: images that have none, and the checks that compare classes and so need two of them."""

from __future__ import annotations

from evenray.core.findings import Finding
from evenray.core.types import Dataset

__all__ = ["COMPARING", "COUNTING", "labels"]

# The checks that compare classes: on images of one class, or of none, they are not run.
COMPARING = (
    "classes", "parts", "label_conflicts", "sources", "shortcut_header", "shortcut_size", "shortcut_histogram",
    "shortcut_border",
)  # fmt: skip
COUNTING = (
    "classes",
    "parts",
    "label_conflicts",
)  # of these those that are about how many images a class has, and which


def labels(dataset: Dataset) -> list[Finding]:
    """Some images without labels; no labels at all, or all the same, and which checks were not run for that."""
    found = []
    if dataset.classes and (count := dataset.facts.unlabelled):
        variant = "unmarked" if dataset.facts.task in ("segment", "detect") else "some_missing"
        evidence = {"images": count, "share": round(count / (count + len(dataset)), 4)}
        found.append(Finding("labels", "warning", evidence=evidence, variant=variant))
    if len(dataset.classes) < 2 and dataset.facts.task == "classify":
        variant = "one_class" if dataset.classes else ""
        found.append(Finding("labels", "info", evidence={"not_run": list(COMPARING)}, variant=variant))
    return found
