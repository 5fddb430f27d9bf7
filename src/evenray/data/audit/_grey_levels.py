"""Grey level statistics of one image, read from its histogram alone."""

from __future__ import annotations

import numpy as np

from evenray.core.types import Image
from evenray.images.histogram import Histogram

from ._reduced_image import Measured, Reduced

__all__ = ["measure_levels"]


def measure_levels(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
    """Columns mean, std, p1, p50, p99, saturated_low, saturated_high (all 0..1, of the declared range or of pixels),
    levels_used (how many grey levels occur), level_step (their greatest common step in ranges of over 8 bits; 0 for one level),
    level_min and level_max (in units of the file). An image without a valid pixel counts as one black level.
    """
    counts = np.asarray(histogram.counts)
    used = np.flatnonzero(counts)
    if not len(used):
        used, weights = np.zeros(1, np.int64), np.ones(1, np.int64)
    else:
        weights = counts[used]
    running = np.cumsum(weights)
    shares = weights / running[-1]
    unit = used / max(len(counts) - 1, 1)
    mean = float(unit @ shares)
    p1, p50, p99 = unit[np.searchsorted(running, np.array([0.01, 0.5, 0.99]) * running[-1])]
    return {
        "mean": mean,
        "std": float(np.sqrt(max((unit - mean) ** 2 @ shares, 0.0))),
        "p1": float(p1),
        "p50": float(p50),
        "p99": float(p99),
        "saturated_low": float(shares[0]) if used[0] == 0 else 0.0,
        "saturated_high": float(shares[-1]) if used[-1] == len(counts) - 1 else 0.0,
        "levels_used": len(used),
        # Of a thousand levels some are neighbours in any real image, and finding the step is slow.
        "level_step": int(np.gcd.reduce(used - used[0])) if len(counts) > 256 and len(used) <= 1024 else 1,
        "level_min": float(image.value_range[0] + unit[0] * reduced.span),
        "level_max": float(image.value_range[0] + unit[-1] * reduced.span),
    }
