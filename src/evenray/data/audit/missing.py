"""Missing pixels: padding, NaN, and constant frames left by collimation or by letterboxing."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Dataset, Finding, Image
from evenray.images.histogram import Histogram

from ._reduced import Reduced
from ._table import numbers, usual, worst_first

__all__ = ["measure_missing", "missing"]

TOLERANCE = 6  # of 255: what JPEG leaves of a constant border
MANY = 0.3  # share of the area, above what is usual


def measure_missing(image: Image, histogram: Histogram, reduced: Reduced) -> dict[str, Any]:
    """Columns missing (share of pixels without a value, 0..1) and frame (share of the area outside the rows and
    columns that vary, 0..1, on the copy of at most 512 pixels; 1 for a constant image)."""
    return {"missing": 1.0 - reduced.share, "frame": _frame(reduced.small)}


def _frame(grey: NDArray[np.uint8]) -> float:
    edges = (grey[:1], grey[-1:], grey[:, :1], grey[:, -1:])
    extremes = (cv2.minMaxLoc(edge) for edge in edges)
    if all(highest - lowest > TOLERANCE for lowest, highest, *_ in extremes):
        return 0.0  # most images: nothing more to look for
    return 1.0 - _varying(grey, 1) * _varying(grey, 0) / grey.size


def _varying(grey: NDArray[np.uint8], axis: int) -> int:
    """How many lines lie between the first and the last one that is not constant."""
    varies = np.flatnonzero(grey.max(axis=axis) - grey.min(axis=axis) > TOLERANCE)
    return int(varies[-1] - varies[0] + 1) if len(varies) else 0


def missing(dataset: Dataset) -> list[Finding]:
    """Images of which 30 % more than usual has no value, or is a constant frame."""
    cases = dataset.cases
    empty, frame = numbers(cases, "missing"), numbers(cases, "frame")
    lost = np.fmax(empty, np.where(numbers(cases, "std") >= 0.01, frame, 0.0))
    found = lost - usual(cases, lost) > MANY
    if not found.any():
        return []
    return [
        Finding(
            "missing",
            "warning",
            "Images with much of their area missing",
            "Padding, collimation or a frame fills them. Missing pixels are left out of histograms and contrast; crop "
            "constant frames away, for the network would see the frame before it sees the finding.",
            worst_first(cases, found, lost),
            {"images": int(found.sum()), "largest_share": round(float(lost[found].max()), 4)},
        )
    ]
