"""Masks and boxes that were made for an image of another size."""

from __future__ import annotations

import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import numbers, warn

__all__ = ["annotation_size"]

SHAPE = 0.02  # by which the ratio of the sides may differ through rounding


def annotation_size(dataset: Dataset) -> list[Finding]:
    """Annotations of another size than their image: stretched where the sides have the same ratio, else of another image; boxes
    are always in the wrong place."""
    cases = dataset.cases
    rows, columns, own_rows, own_columns = (
        numbers(cases, name) for name in ("rows", "columns", "annotated_rows", "annotated_columns")
    )
    differs = (own_rows > 0) & ((rows != own_rows) | (columns != own_columns))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.abs(np.log(own_rows / own_columns) - np.log(rows / columns))
    if dataset.facts.task == "detect":
        return warn("annotation_size", cases, differs, ratio, "boxes", "error")
    shape = differs & (ratio > SHAPE)
    return [
        *warn("annotation_size", cases, shape, ratio, "shape", "error"),
        *warn("annotation_size", cases, differs & ~shape, own_rows / rows),
    ]
