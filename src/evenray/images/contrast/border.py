"""Leaving the dark margins of a collimator out of the counting."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.images.levels import lightness

from ._engine import present
from ._kinds import on_pixels

__all__ = ["border"]


@on_pixels
def border(image: Image, dark: Annotated[float, Interval(ge=0, lt=1)] = 0.04) -> Image:
    """The same pixels with the dark margins marked as missing, for the methods that follow: `border | equalize`.

    A row or column at the edge is margin while 98 % of it is at most `dark` (in the unit range; letters may stand in
    it). Where the whole image is that dark nothing is left out.

    >>> image = Image(np.pad(np.full((4, 4), 90, np.uint8), 2), value_range=(0, 255))
    >>> int(border(image).valid.sum())
    16
    """
    low, high = image.value_range
    valid = present(image)
    shown = lightness(image) > low + dark * (high - low)
    if valid is not None:
        shown &= valid
    top, bottom = _span(shown.mean(axis=1))
    left, right = _span(shown[top:bottom].mean(axis=0)) if bottom > top else (0, 0)
    field = np.zeros(image.shape, bool)
    field[top:bottom, left:right] = True
    if not field.any() or field.all():
        return image
    return image.with_pixels(image.pixels, valid=field if valid is None else field & valid)


def _span(bright: NDArray[np.float64]) -> tuple[int, int]:
    inside = np.flatnonzero(bright > 0.02)
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
