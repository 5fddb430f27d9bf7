"""Compression: traces of 8 x 8 JPEG blocks, far stronger than in the other images."""

from __future__ import annotations

import cv2
import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset, Image
from evenray.images.histogram import Histogram

from ._cases import deviations, numbers, typical, warn
from ._reduced_image import Measured, Reduced

__all__ = ["compression", "measure_compression"]

STRONG = 0.5  # above what is usual
SPREADS = 6.0
MOST = 100.0


def measure_compression(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
    """Column blockiness: mean step across the borders of 8 x 8 blocks over the mean step elsewhere; 1 where there are
    no blocks, 100 at most, and where the image is under 128 pixels wide (Wang, Sheikh and Bovik, No-reference perceptual quality
    assessment of JPEG compressed images, ICIP 2002)."""
    whole = (reduced.upper.shape[1] - 1) // 8 * 8
    if whole < 120:
        return {"blockiness": 1.0}
    steps = np.asarray(cv2.absdiff(reduced.upper[:, 1 : whole + 1], reduced.upper[:, :whole]))
    blocks = np.sort(steps.sum(axis=0, dtype=np.float64).reshape(-1, 8), axis=0)
    # Without the highest eighth, for the edge of a collimator raises the steps of one column alone.
    phases = blocks[: len(blocks) * 7 // 8].mean(axis=0)
    border, elsewhere = float(phases[7]), float(phases[:7].mean())
    # Blocks without any step inside are the end of the scale; an image without any step has no blocks.
    return {"blockiness": min(border / elsewhere, MOST) if elsewhere else MOST if border else 1.0}


def compression(dataset: Dataset) -> list[Finding]:
    """Images compressed far harder than their peers, whatever format they are stored in now."""
    cases = dataset.cases
    blockiness = numbers(cases, "blockiness")
    found = (blockiness - typical(cases, blockiness) > STRONG) & (deviations(cases, blockiness) > SPREADS)
    return warn("compression", cases, found, blockiness, highest=blockiness[found].max(initial=0), typical=blockiness)
