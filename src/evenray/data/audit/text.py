"""Burned-in text, markers and arrows: thin strokes of full contrast that no anatomy has."""

from __future__ import annotations

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Dataset, Image
from evenray.images.histogram import Histogram

from ._cases import deviations, numbers, typical, warn
from ._reduced_image import Measured, Reduced

__all__ = ["measure_text", "strokes", "text", "words"]

_KERNEL = np.ones((7, 7), np.uint8)
CONTRAST = 115  # of 255: a stroke stands out by this much
MUCH = 0.004  # share of the area, above what is usual: some 200 pixels at 224 x 224, a word
SPREADS = 6.0
SMALL = 100


def measure_text(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
    """Column strokes: share of the area, 0..1, that a white top-hat (7 x 7, on the copy of at most 512 pixels) raises by
    over 45 % of the grey range; 0 in images under 100 pixels, where anatomy is as thin as a stroke."""
    return {"strokes": cv2.countNonZero(_strokes(reduced.small)) / reduced.small.size}


def strokes(image: Image) -> NDArray[np.bool_]:
    """Where the strokes are that `measure_text` counts, with the pixels between them, on the copy of at most 512 pixels."""
    found = _strokes(Reduced.of(image).small)
    return np.asarray(cv2.dilate(found, _KERNEL), np.bool_)


def _strokes(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if min(small.shape) < SMALL:
        return np.zeros_like(small)
    raised = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, _KERNEL)
    return np.asarray(cv2.threshold(raised, CONTRAST, 1, cv2.THRESH_BINARY)[1], np.uint8)


def text(dataset: Dataset) -> list[Finding]:
    """Images with far more thin bright strokes than their peers."""
    cases = dataset.cases
    strokes = numbers(cases, "strokes")
    found = (strokes - typical(cases, strokes) > MUCH) & (deviations(cases, strokes) > SPREADS)
    return warn("text", cases, found, strokes, largest_share=strokes[found].max(initial=0))


def words(cases: pl.DataFrame) -> NDArray[np.bool_]:
    """Which images have as many strokes as a word takes, whatever their peers have: where all have text, none stands out."""
    return numbers(cases, "strokes") > MUCH
