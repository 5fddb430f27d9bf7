"""An attribution map over its image as a picture with a colour bar."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["overlay"]

LEAST = 256  # pixels of the longer side; smaller images are enlarged by a whole factor


def overlay(picture: NDArray[np.uint8], map_HW: NDArray[np.float32], opacity: float = 0.5) -> NDArray[np.uint8]:
    """RGB, uint8 (H, W + bar, 3): a picture, (H, W) or (H, W, 3), under a map of 0 to 1 in Inferno's colours.

    Where the map is 1 the colour covers `opacity` of the image, and the less the colder it is. The bar at the right runs from 0,
    at its foot, to 1, the image's own maximum.

    >>> overlay(np.zeros((300, 200), np.uint8), np.zeros((300, 200), np.float32)).shape
    (300, 224, 3)
    """
    times = max(1, LEAST // max(map_HW.shape))
    shown = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    shown = shown.repeat(times, axis=0).repeat(times, axis=1)
    heat = map_HW.clip(0, 1).repeat(times, axis=0).repeat(times, axis=1)
    share = (opacity * heat)[..., None]
    mixed = (shown * (1 - share) + _inferno(heat) * share).round().astype(np.uint8)
    return np.hstack([mixed, _bar(len(mixed), max(24, round(0.06 * max(mixed.shape[:2]))))])


def _inferno(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    coloured = cv2.applyColorMap((values * 255).round().astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.asarray(coloured[..., ::-1], np.uint8)


def _bar(height: int, width: int) -> NDArray[np.uint8]:
    """The colours from 1 at the top to 0, on black, with these numbers beside it."""
    found = np.zeros((height, width, 3), np.uint8)
    left, right, edge = width // 6, width // 2, max(2, width // 3)
    ramp = np.linspace(1, 0, max(2, height - 2 * edge), dtype=np.float32)[:, None].repeat(right - left, axis=1)
    found[edge : edge + len(ramp), left:right] = _inferno(ramp)[: height - edge]
    size = width / 55
    for words, down in (("1", edge + round(11 * size)), ("0", height - edge)):
        cv2.putText(
            found,
            words,
            (right + max(1, width // 10), down),
            cv2.FONT_HERSHEY_SIMPLEX,
            size,
            (255, 255, 255),
            1,
            cv2.LINE_AA,
        )
    return found
