"""Exact histogram specification: the outcome has the histogram asked for, pixel for pixel."""

from __future__ import annotations

from typing import Annotated, Any

import cv2
import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.images.levels import from_indices, lightness, to_indices

from ._engine import present, with_grey
from ._kinds import on_pixels
from ._reference import DISTRIBUTIONS, distribution, saved

__all__ = ["exact"]


@on_pixels
def exact(
    image: Image,
    reference: str = "uniform",
    mean: Annotated[float, Gt(0)] = 0.5,
    sd: Annotated[float, Gt(0)] = 0.2,
) -> Image:
    """Pixels are put in strict order, equal ones by the means around them, and share out the levels asked for.

    `reference` is as that of `match`. A curve cannot do this, as it moves all pixels of a level together; it sorts, and
    so takes about a hundred times as long. Coltuc, Bolon and Chassery, "Exact histogram specification", IEEE TIP 15
    (2006), with the neighbourhoods 3 x 3 and 5 x 5; ties beyond that go by position.

    >>> image = Image(np.array([[1, 1, 1, 1], [1, 1, 2, 2]], np.uint8), value_range=(0, 3))
    >>> exact(image).pixels.tolist()
    [[0, 1, 2, 2], [0, 1, 3, 3]]
    """
    grey, valid = lightness(image), present(image)
    indices, number = to_indices(grey, image.value_range)
    chosen = np.ones(image.shape, bool) if valid is None else valid
    count = int(chosen.sum())
    if not count or indices[chosen].min() == indices[chosen].max():
        return image
    order = np.argsort(_strict(indices, number, chosen)[chosen], kind="stable")
    shares = np.empty(count)
    shares[order] = (np.arange(count) + 0.5) / count
    outcome = indices.copy()
    outcome[chosen] = np.searchsorted(_cumulative(reference, number, mean, sd), shares).clip(0, number - 1)
    unit: NDArray[Any] = outcome
    if grey.dtype == np.float32:
        unit = outcome / np.float32(number - 1)
    pixels = from_indices(unit, image.value_range, grey.dtype)
    return with_grey(image, grey, pixels)


def _strict(indices: NDArray[Any], number: int, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Keys that order pixels by level, then by the means around them, which are taken at 8 bits at any depth.

    Means are of the chosen pixels alone, and stand in the keys as sums over the whole neighbourhood, in steps of 1/64:
    two different ones are at least 1/24 apart.
    """
    eight = np.where(chosen, np.rint(indices * (255 / (number - 1))), 0).astype(np.float32)
    there = None if chosen.all() else chosen.astype(np.float32)
    keys = indices.astype(np.int64)
    for size, bits in ((3, 12), (5, 13)):
        sums = _summed(eight, size)
        if there is None:
            keys = (keys << bits) + sums.astype(np.int64)
        else:
            whole = sums * size**2 / np.maximum(_summed(there, size), 1)
            keys = (keys << bits + 6) + np.rint(64 * whole).astype(np.int64)
    return keys


def _summed(plane: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    borders = cv2.BORDER_REFLECT_101
    return np.asarray(cv2.boxFilter(plane, cv2.CV_32F, (size, size), normalize=False, borderType=borders))


def _cumulative(reference: str, number: int, mean: float, sd: float) -> NDArray[np.float64]:
    if reference in DISTRIBUTIONS:
        return distribution(reference, np.arange(1, number + 1) / number, mean, sd)
    other = saved(reference)
    return np.interp(np.linspace(0, 1, number), other.unit_levels, other.cumulative)
