"""Outliers: single pixels that stand out from their neighbourhood, hot or dead, and salt-and-pepper noise."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from evenray.core.types import Dataset, Finding, Image
from evenray.histogram import Histogram

from ._reduced import Reduced
from ._table import deviations, numbers, usual, worst_first

__all__ = ["measure_outliers", "outliers"]

STEP = 51  # of 255: a fifth of the grey range
MANY = 5e-4  # share of the pixels, above what is usual
SPREADS = 6.0


def measure_outliers(image: Image, histogram: Histogram, reduced: Reduced) -> dict[str, Any]:
    """Column outlier_pixels: share of the pixels, 0..1, that differ by over a fifth of the range from the median of their
    3 x 3 neighbourhood while at most one of their eight neighbours does (along a line or an edge, two do)."""
    apart = cv2.absdiff(reduced.grey, cv2.medianBlur(reduced.grey, 3))
    marked = np.asarray(cv2.threshold(apart, STEP, 1, cv2.THRESH_BINARY)[1])
    if not cv2.countNonZero(marked):
        return {"outlier_pixels": 0.0}
    crowd = np.asarray(cv2.boxFilter(marked, cv2.CV_8U, (3, 3), normalize=False))
    return {"outlier_pixels": np.count_nonzero((crowd <= 2) & (marked > 0)) / marked.size}


def outliers(dataset: Dataset) -> list[Finding]:
    """Images with far more stray pixels than their fellows, at least one in 2,000 and eight together."""
    cases = dataset.cases
    share = numbers(cases, "outlier_pixels")
    pixels = share * numbers(cases, "rows") * numbers(cases, "columns")
    excess = share - usual(cases, share)
    found = (excess > MANY) & ~(pixels < 8) & (deviations(cases, share) > SPREADS)
    if not found.any():
        return []
    return [
        Finding(
            "outliers",
            "warning",
            "Images with many stray pixels",
            "Hot or dead detector pixels, or bits lost in transfer. They stretch any range taken from the extremes of "
            "the image; a percentile stretch or a 3 x 3 median resists them.",
            worst_first(cases, found, share),
            {"images": int(found.sum()), "highest_share": round(float(share[found].max()), 5)},
        )
    ]
