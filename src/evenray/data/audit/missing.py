"""Missing pixels: padding, NaN, and constant frames left by collimation or by letterboxing."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Dataset, Image
from evenray.images.histogram import Histogram

from ._cases import numbers, typical, warn
from ._reduced_image import Measured, Reduced

__all__ = ["measure_missing", "missing"]

TOLERANCE = 6  # of 255: what JPEG leaves of a constant border
MANY = 0.3  # share of the area, above what is usual


def measure_missing(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
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
    found = lost - typical(cases, lost) > MANY
    return warn("missing", cases, found, lost, largest_share=lost[found].max(initial=0))
