"""Colour under a new lightness, with its hue kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["set_lightness"]


def set_lightness(
    rgb: NDArray[Any], old: NDArray[Any], new: NDArray[Any], value_range: tuple[float, float]
) -> NDArray[Any]:
    """(H, W, 3) whose lightness `old` (H, W) becomes `new`: darker scales towards black, brighter towards white.

    Both moves treat the three channels alike, so hue stays and nothing leaves the range, and the luma of the result
    is `new`. Naik and Murthy, "Hue-preserving color image enhancement without gamut problem", IEEE TIP 12 (2003).

    >>> grey, bright = np.full((1, 1), 100, np.uint8), np.full((1, 1), 200, np.uint8)
    >>> set_lightness(np.full((1, 1, 3), 100, np.uint8), grey, bright, (0, 255)).tolist()
    [[[200, 200, 200]]]
    """
    low, high = value_range
    before = np.clip((old.astype(np.float32) - low) / (high - low), 0, 1)
    after = np.clip((new.astype(np.float32) - low) / (high - low), 0, 1)
    darker = after <= before
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(darker, after / before, (1 - after) / (1 - before))
    scale = np.nan_to_num(scale, nan=1.0, posinf=1.0, neginf=1.0)
    shift = np.where(darker, 0, 1 - scale)
    unit = np.clip((rgb.astype(np.float32) - low) / (high - low), 0, 1)
    outcome = (unit * scale[..., None] + shift[..., None]) * (high - low) + low
    if rgb.dtype == np.float32:
        return np.asarray(outcome, np.float32)
    kind = np.iinfo(rgb.dtype)
    return np.asarray(np.rint(outcome).clip(kind.min, kind.max), rgb.dtype)
