"""Geometry: images of a size, an aspect or a pixel spacing far from that of their peers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import deviations, numbers, typical, warn

__all__ = ["geometry"]

SPREADS = 6.0
TIMES = 2.0  # the least factor of side or of spacing, 1.5 of aspect, that counts as odd
TIMES_ASPECT = 1.5


def geometry(dataset: Dataset) -> list[Finding]:
    """Images twice as large or small, or 1.5 times as long, or of half or twice the pixel spacing of what is usual."""
    cases = dataset.cases
    rows, columns = numbers(cases, "rows"), numbers(cases, "columns")
    row_mm, column_mm = numbers(cases, "spacing_row"), numbers(cases, "spacing_column")
    stretch = np.abs(np.log(row_mm / column_mm))
    stretch = np.where(stretch > np.log(1.05), stretch, 0.0)
    kinds = {
        "size": _odd(dataset, np.sqrt(rows * columns), TIMES),
        "aspect": _odd(dataset, rows / columns, TIMES_ASPECT),
        "spacing": _odd(dataset, np.sqrt(row_mm * column_mm), TIMES),
        "pixels_not_square": np.where(stretch > typical(cases, stretch) + 0.01, stretch, 0.0),
    }
    badness = np.max(list(kinds.values()), axis=0)
    odd = {kind: int((factor > 0).sum()) for kind, factor in kinds.items()}
    return warn("geometry", cases, badness > 0, badness.round(6), odd={kind: n for kind, n in odd.items() if n})


def _odd(dataset: Dataset, values: NDArray[np.float64], times: float) -> NDArray[np.float64]:
    """The logarithm of the factor between a value and the typical one, where it is odd, else 0."""
    logs = np.log(values)
    factor = np.abs(logs - typical(dataset.cases, logs))
    odd = (factor > np.log(times)) & (np.abs(deviations(dataset.cases, logs)) > SPREADS)
    return np.where(odd, factor, 0.0)
