"""Sharpening by unsharp mask."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge, Gt, Le

from evenray.core.types import Image
from evenray.images.levels import lightness

from ._engine import present, with_grey
from ._kinds import on_pixels

__all__ = ["unsharp"]


@on_pixels
def unsharp(
    image: Image, radius: Annotated[float, Gt(0), Le(500)] = 2.0, amount: Annotated[float, Ge(0)] = 1.0
) -> Image:
    """s = r + amount (r - blur(r)), blurred by a Gaussian of `radius` pixels; as scikit-image's unsharp_mask.

    The one method here that looks at neighbours rather than at the histogram. Missing pixels weigh nothing in the
    blur. Gonzalez and Woods, 3.6.3.

    >>> edge = np.repeat(np.array([[50, 200]], np.uint8), 4, axis=1)
    >>> unsharp(Image(edge, value_range=(0, 255)), radius=1).pixels.tolist()
    [[50, 49, 41, 5, 245, 209, 201, 200]]
    """
    low, high = image.value_range
    grey, valid = lightness(image), present(image)
    unit = np.clip((grey.astype(np.float32) - low) / (high - low), 0, 1).astype(np.float32)
    if valid is None:
        blurred = _blur(unit, radius)
    else:
        weight = valid.astype(np.float32)
        unit = np.where(valid, unit, np.float32(0))
        blurred = _blur(unit, radius) / np.maximum(_blur(weight, radius), 1e-6)
    sharp = low + np.clip(unit + amount * (unit - blurred), 0, 1) * (high - low)
    pixels = sharp.astype(np.float32) if grey.dtype == np.float32 else np.rint(sharp).astype(grey.dtype)
    return with_grey(image, grey, pixels)


def _blur(unit: np.ndarray, radius: float) -> np.ndarray:
    size = 2 * int(4 * radius + 0.5) + 1  # scikit-image and scipy cut off at 4 sigma
    return np.asarray(cv2.GaussianBlur(unit, (size, size), radius, borderType=cv2.BORDER_REFLECT))
