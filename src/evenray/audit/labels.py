"""Labels: without two classes, what the checks that compare classes would have said is not known."""

from __future__ import annotations

from evenray.core.types import Dataset, Finding

__all__ = ["COMPARING", "labels"]

# The checks that compare classes: on images of one class, or of none, they are not run.
COMPARING = (
    "classes", "parts", "label_conflicts", "sources", "shortcut_header", "shortcut_size", "shortcut_histogram",
    "shortcut_border",
)  # fmt: skip


def labels(dataset: Dataset) -> list[Finding]:
    """Images without labels, or all with the same one, and which checks were not run for that."""
    if len(dataset.classes) > 1:
        return []
    return [
        Finding(
            "labels",
            "info",
            "All images have one label, so some checks were not run"
            if dataset.classes
            else "The images have no labels, so some checks were not run",
            "What compares classes has to wait until there are two. Put the images into one folder a class, or give a "
            "table with --labels, and audit again; training needs that too.",
            evidence={"not_run": ", ".join(COMPARING)},
        )
    ]
