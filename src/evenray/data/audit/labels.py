"""Labels: images that have none, and what the checks that compare classes could not say for want of two."""

from __future__ import annotations

from evenray.core.types import Dataset, Finding

__all__ = ["COMPARING", "labels"]

# The checks that compare classes: on images of one class, or of none, they are not run.
COMPARING = (
    "classes", "parts", "label_conflicts", "sources", "shortcut_header", "shortcut_size", "shortcut_histogram",
    "shortcut_border",
)  # fmt: skip


def labels(dataset: Dataset) -> list[Finding]:
    """Some images without labels; no labels at all, or all the same, and which checks were not run for that."""
    found = _unlabelled(dataset) if dataset.classes else []
    if len(dataset.classes) > 1:
        return found
    return [
        *found,
        Finding(
            "labels",
            "info",
            "All images have one label, so some checks were not run"
            if dataset.classes
            else "The images have no labels, so some checks were not run",
            "What compares classes has to wait until there are two. Put the images into one folder a class, or give a "
            "table with --labels, and audit again; training needs that too.",
            evidence={"not_run": ", ".join(COMPARING)},
        ),
    ]


def _unlabelled(dataset: Dataset) -> list[Finding]:
    count = int(dataset.facts.get("unlabelled", 0))
    if not count:
        return []
    return [
        Finding(
            "labels",
            "warning",
            "Images without a label are left out",
            "No class folder, row of the table or entry of the archive labels them. Label them, or take them out of the "
            "data: where those left out differ from the rest, figures hold for the rest only.",
            evidence={"images": count, "share": round(count / (count + len(dataset)), 4)},
        )
    ]
