"""Blur: images whose finest detail is missing, out of focus, moved, or enlarged from a smaller one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Dataset, Image
from evenray.images.histogram import Histogram

from ._cases import deviations, numbers, typical, warn
from ._reduced_image import Measured, Reduced

__all__ = ["blur", "measure_blur"]

SPREADS = 4.5
SMOOTH, CLEAR = 0.02, 0.06  # no detail at all; the typical sharpness from which that stands out by itself
LEAST = 1e-3  # of sharpness; below it the logarithm says nothing


def measure_blur(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
    """Column sharpness: 0 where neighbours differ half as much as next neighbours do (a smooth ramp), 1 in white noise.

    2 mean|I(x+1) - I(x)| / mean|I(x+2) - I(x)| - 1, along rows and along columns in full resolution; the lower of the
    two, so that motion counts. It does not depend on the contrast. 1 for an image without any step.
    """
    upper, across = reduced.upper, reduced.across
    along_rows = _sharpness(upper[:, :-2], upper[:, 1:-1], upper[:, 2:])
    return {"sharpness": min(along_rows, _sharpness(across[:-2], across[1:-1], across[2:]))}


def _sharpness(first: NDArray[Any], second: NDArray[Any], third: NDArray[Any]) -> float:
    """From three neighbours each."""
    far = cv2.norm(first, third, cv2.NORM_L1) if first.size else 0.0
    if far == 0:
        return 1.0
    return (cv2.norm(first, second, cv2.NORM_L1) + cv2.norm(second, third, cv2.NORM_L1)) / far - 1


def blur(dataset: Dataset) -> list[Finding]:
    """Images far smoother than their peers."""
    cases = dataset.cases
    sharpness = np.maximum(numbers(cases, "sharpness"), LEAST)
    peers = typical(cases, sharpness)
    stands_out = (deviations(cases, np.log(sharpness)) < -SPREADS) & (sharpness < peers / 2)
    found = (stands_out | (sharpness < SMOOTH) & (peers > CLEAR)) & (numbers(cases, "frame") < 0.95)
    return warn("blur", cases, found, -sharpness, lowest=sharpness[found].min(initial=1), typical=sharpness)
