"""Burned-in text, markers and arrows: thin strokes of full contrast that no anatomy has."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from evenray.core.types import Dataset, Finding, Image
from evenray.images.histogram import Histogram

from ._reduced import Reduced
from ._table import deviations, numbers, usual, worst_first

__all__ = ["measure_text", "text"]

_KERNEL = np.ones((7, 7), np.uint8)
CONTRAST = 115  # of 255: a stroke stands out by this much
MUCH = 0.004  # share of the area, above what is usual: some 200 pixels at 224 x 224, a word
SPREADS = 6.0
SMALL = 100


def measure_text(image: Image, histogram: Histogram, reduced: Reduced) -> dict[str, Any]:
    """Column strokes: share of the area, 0..1, that a white top-hat (7 x 7, on the copy of at most 512 pixels) raises by
    over 45 % of the grey range; 0 in images under 100 pixels, where anatomy is as thin as a stroke."""
    if min(reduced.small.shape) < SMALL:
        return {"strokes": 0.0}
    raised = cv2.morphologyEx(reduced.small, cv2.MORPH_TOPHAT, _KERNEL)
    return {"strokes": cv2.countNonZero(cv2.threshold(raised, CONTRAST, 1, cv2.THRESH_BINARY)[1]) / reduced.small.size}


def text(dataset: Dataset) -> list[Finding]:
    """Images with far more thin bright strokes than their fellows."""
    cases = dataset.cases
    strokes = numbers(cases, "strokes")
    found = (strokes - usual(cases, strokes) > MUCH) & (deviations(cases, strokes) > SPREADS)
    if not found.any():
        return []
    return [
        Finding(
            "text",
            "warning",
            "Images with burned-in text or markers",
            "Letters, arrows and callipers can give the label away, and may name the patient. Look at them; crop or mask "
            "them, or exclude the images.",
            worst_first(cases, found, strokes),
            {"images": int(found.sum()), "largest_share": round(float(strokes[found].max()), 4)},
        )
    ]
