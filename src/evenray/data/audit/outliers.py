"""Outliers: single pixels that stand out from their neighbourhood, hot or dead, and salt-and-pepper noise."""

from __future__ import annotations

import cv2
import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset, Image
from evenray.images.histogram import Histogram

from ._cases import deviations, numbers, typical, warn
from ._reduced_image import Measured, Reduced

__all__ = ["measure_outliers", "outliers"]

STEP = 51  # of 255: a fifth of the grey range
MANY = 5e-4  # share of the pixels, above what is usual
SPREADS = 6.0


def measure_outliers(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
    """Column outlier_pixels: share of the pixels, 0..1, that differ by over a fifth of the range from the median of their
    3 x 3 neighbourhood while at most one of their eight neighbours does (along a line or an edge, two do)."""
    marked = (np.asarray(cv2.absdiff(reduced.grey, cv2.medianBlur(reduced.grey, 3))) > STEP).ravel()
    places = np.flatnonzero(marked)
    if not len(places):
        return {"outlier_pixels": 0.0}
    # They are few, so their neighbours are looked up one by one rather than counted over the whole image.
    width = reduced.grey.shape[1]
    around = np.array([-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1])
    crowd = np.take(marked, places[:, None] + around, mode="clip").sum(axis=1)
    return {"outlier_pixels": int(np.count_nonzero(crowd <= 1)) / marked.size}


def outliers(dataset: Dataset) -> list[Finding]:
    """Images with far more stray pixels than their peers, at least one in 2,000 and eight together."""
    cases = dataset.cases
    share = numbers(cases, "outlier_pixels")
    pixels = share * numbers(cases, "rows") * numbers(cases, "columns")
    excess = share - typical(cases, share)
    found = (excess > MANY) & ~(pixels < 8) & (deviations(cases, share) > SPREADS)
    return warn("outliers", cases, found, share, largest_share=share[found].max(initial=0))
