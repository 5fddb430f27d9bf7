"""Geometry: images of a size, an aspect or a pixel spacing far from that of their fellows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Dataset, Finding

from ._table import deviations, numbers, usual, worst_first

__all__ = ["geometry"]

SPREADS = 6.0
TIMES = 2.0  # the least factor of side or of spacing, 1.5 of aspect, that counts as odd
TIMES_ASPECT = 1.5


def geometry(dataset: Dataset) -> list[Finding]:
    """Images twice as large or small, or 1.5 times as long, or of half or twice the pixel spacing of what is usual."""
    cases = dataset.cases
    rows, columns = numbers(cases, "rows"), numbers(cases, "columns")
    row_mm, column_mm = numbers(cases, "spacing_row"), numbers(cases, "spacing_column")
    size = _odd(dataset, np.sqrt(rows * columns), TIMES)
    aspect = _odd(dataset, rows / columns, TIMES_ASPECT)
    spacing = _odd(dataset, np.sqrt(row_mm * column_mm), TIMES)
    stretched = np.nan_to_num(np.abs(np.log(row_mm / column_mm))) * (np.abs(np.log(row_mm / column_mm)) > np.log(1.05))
    badness = np.stack([size, aspect, spacing, stretched * (stretched > usual(cases, stretched) + 0.01)])
    found = badness.max(axis=0) > 0
    if not found.any():
        return []
    kinds = ("size", "aspect", "spacing", "pixels_not_square")
    return [
        Finding(
            "geometry",
            "warning",
            "Images of odd size, aspect or spacing",
            "They may show another part of the body, a scout view, a crop or a screen capture, and resizing distorts them "
            "as it does no other. Look at them; exclude what does not belong.",
            worst_first(cases, found, badness.max(axis=0).round(6)),
            {
                "images": int(found.sum()),
                **{f"odd_{kind}": int((line > 0).sum()) for kind, line in zip(kinds, badness, strict=True)},
            },
        )
    ]


def _odd(dataset: Dataset, values: NDArray[np.float64], times: float) -> NDArray[np.float64]:
    """The logarithm of the factor between a value and what is usual, where it is odd, else 0."""
    logs = np.log(values)
    factor = np.abs(logs - usual(dataset.cases, logs))
    odd = (factor > np.log(times)) & (np.abs(deviations(dataset.cases, logs)) > SPREADS)
    return np.where(odd, factor, 0.0)
