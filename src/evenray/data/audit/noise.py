"""Noise: the spread of the finest detail, robust against edges."""

from __future__ import annotations

import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import Dataset, Image
from evenray.images.histogram import Histogram

from ._cases import deviations, numbers, warn
from ._reduced_image import Measured, Reduced

__all__ = ["measure_noise", "noise"]

NOISY = 0.03  # share of the grey range; about 8 of 255 levels, which the eye sees at once
ALL_NOISY = 0.08
FLOOR = 0.002  # half a level of 255: rounding hides less noise
SPREADS = 5.0


def measure_noise(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
    """Column noise: standard deviation of white noise as a share of the grey range, 0..1.

    The median absolute value of the diagonal detail of a Haar wavelet, divided by 0.6745 (Donoho and Johnstone, Ideal
    spatial adaptation by wavelet shrinkage, Biometrika 1994), over some sixteen pairs of rows in full resolution. Places without any
    step to the right are left out, they belong to flat borders; between whole levels the median is interpolated.
    """
    wide = np.float32 if image.pixels.dtype == np.float32 else np.int32
    columns = reduced.upper.shape[1] // 2 * 2
    upper, lower = reduced.upper[::2, :columns].astype(wide), reduced.lower[::2, :columns].astype(wide)
    across, below = upper[:, 1::2] - upper[:, ::2], lower[:, 1::2] - lower[:, ::2]
    detail = np.abs(across - below)[(across != 0) | (below != 0)]
    if not detail.size:
        return {"noise": 0.0}
    half = len(detail) / 2
    median = float(np.partition(detail, int(half))[int(half)])
    if image.pixels.dtype != np.float32:
        under, equal = np.count_nonzero(detail < median), np.count_nonzero(detail == median)
        # Whole numbers stand for an interval about them, and zero for the half of one.
        width = 1.0 if median else 0.5
        median = (median - 0.5 if median else 0.0) + width * (half - under) / equal
    return {"noise": float(median / 2 / 0.6745 / reduced.span)}


def noise(dataset: Dataset) -> list[Finding]:
    """Images far noisier than their peers; sets of which the typical image is noisy."""
    cases = dataset.cases
    level = numbers(cases, "noise")
    if not np.isfinite(level).any():
        return []
    median = float(np.nanmedian(level))
    noisy = (level > NOISY) & (deviations(cases, np.log(np.maximum(level, FLOOR))) > SPREADS)
    found = warn("noise", cases, noisy, level, highest=level[noisy].max(initial=0), typical=median)
    if median > ALL_NOISY:
        found.append(Finding("noise", "info", evidence={"typical": round(median, 4)}, variant="most"))
    return found
