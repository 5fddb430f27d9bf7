"""What a called mask is worth beside the true one of an image: overlap, surfaces, areas, and lesions one by one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

__all__ = ["FOUND", "Overlap", "hd95", "lesions", "overlap"]

FOUND = 0.1  # the share of a lesion that has to be called, and of a called region that has to lie in lesions
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Overlap:
    """Of one class in one image: pixels that are true, called, and both; areas and the distance in the unit of the spacing.

    `hd95` is NaN where nothing is there and nothing called, and the diagonal of the image where only one of them is.
    `lesions` are the connected regions that are true, `found` those of them of which a tenth or more is called, `false_lesions`
    the called regions of which less than a tenth is true.
    """

    true: int
    called: int
    hit: int
    area_true: float
    area_called: float
    hd95: float
    lesions: int
    found: int
    false_lesions: int


def overlap(true: Mask, called: Mask, spacing: tuple[float, float] = (1.0, 1.0), known: Mask | None = None) -> Overlap:
    """Compare two masks, bool (H, W); `spacing` is (row, column). Pixels that are not `known` count nowhere.

    >>> true, called = np.zeros((2, 8, 8), bool)
    >>> true[2:6, 2:6] = called[2:6, 3:7] = True
    >>> found = overlap(true, called)
    >>> found.hit, found.hd95, found.lesions, found.found, found.false_lesions
    (12, 1.0, 1, 1, 0)
    """
    if known is not None:
        true, called = true & known, called & known
    pixel = spacing[0] * spacing[1]
    T, C = int(np.count_nonzero(true)), int(np.count_nonzero(called))
    if T and C:
        distance = hd95(true, called, spacing)
    else:
        distance = float(np.hypot(true.shape[0] * spacing[0], true.shape[1] * spacing[1])) if T or C else float("nan")
    each = lesions(true, called)
    return Overlap(T, C, int(np.count_nonzero(true & called)), T * pixel, C * pixel, distance, *each)


def hd95(true: Mask, called: Mask, spacing: tuple[float, ...] = (1.0, 1.0)) -> float:
    """The larger of the 95th percentiles of the distances from each border to the other (Huttenlocher et al. 1993; as MONAI
    and DeepMind's surface-distance have it), in the unit of `spacing`; both masks have a pixel or more. Of volumes, bool (D, H, W),
    the spacing has three numbers.

    The border of a mask are its pixels that touch one outside of it by an edge (voxels: by a face), also beyond the image.
    """
    (inside,) = scipy.ndimage.find_objects((true | called).astype(np.uint8))
    borders = [_border(mask[inside]) for mask in (true, called)]
    found = []
    for one, other in (borders, borders[::-1]):
        to_other = scipy.ndimage.distance_transform_edt(~other, sampling=spacing)
        found.append(np.percentile(to_other[one], 95))
    return float(max(found))


def _border(mask: Mask) -> Mask:
    return np.asarray(mask & ~scipy.ndimage.binary_erosion(mask))


def lesions(true: Mask, called: Mask) -> tuple[int, int, int]:
    """How many regions are true, how many of them are found, and how many regions are called for nothing.

    Regions are connected by edges and corners.
    """
    regions, found = _covered(true, called)
    wrong, right = _covered(called, true)
    return regions, found, wrong - right


def _covered(regions: Mask, by: Mask) -> tuple[int, int]:
    """How many connected regions there are, and of how many a share of FOUND or more is covered."""
    count, numbers = cv2.connectedComponents(regions.astype(np.uint8), connectivity=8)
    size = np.bincount(numbers.reshape(-1), minlength=count)[1:]
    covered = np.bincount(numbers[by], minlength=count)[1:]
    return count - 1, int((covered >= FOUND * size).sum())
