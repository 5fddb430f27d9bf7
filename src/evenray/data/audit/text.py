"""Burned-in text, markers and arrows: thin strokes of full contrast that no anatomy has."""

from __future__ import annotations

import cv2
import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset, Image
from evenray.images.histogram import Histogram

from ._cases import deviations, numbers, typical, warn
from ._reduced_image import Measured, Reduced

__all__ = ["measure_text", "text"]

_KERNEL = np.ones((7, 7), np.uint8)
CONTRAST = 115  # of 255: a stroke stands out by this much
MUCH = 0.004  # share of the area, above what is usual: some 200 pixels at 224 x 224, a word
SPREADS = 6.0
SMALL = 100


def measure_text(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
    """Column strokes: share of the area, 0..1, that a white top-hat (7 x 7, on the copy of at most 512 pixels) raises by
    over 45 % of the grey range; 0 in images under 100 pixels, where anatomy is as thin as a stroke."""
    if min(reduced.small.shape) < SMALL:
        return {"strokes": 0.0}
    raised = cv2.morphologyEx(reduced.small, cv2.MORPH_TOPHAT, _KERNEL)
    return {"strokes": cv2.countNonZero(cv2.threshold(raised, CONTRAST, 1, cv2.THRESH_BINARY)[1]) / reduced.small.size}


def text(dataset: Dataset) -> list[Finding]:
    """Images with far more thin bright strokes than their peers."""
    cases = dataset.cases
    strokes = numbers(cases, "strokes")
    found = (strokes - typical(cases, strokes) > MUCH) & (deviations(cases, strokes) > SPREADS)
    return warn("text", cases, found, strokes, largest_share=strokes[found].max(initial=0))
