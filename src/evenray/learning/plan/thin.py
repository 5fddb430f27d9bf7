"""Masks of thin or small structures, such as vessels, that are lost where whole images are made small: they are learnt in patches."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import EvenrayError
from evenray.core.marks import UNKNOWN_PIXEL
from evenray.core.messages import Message
from evenray.core.types import Dataset
from evenray.data.annotations import read_mask

from .budget import cost
from .images import native_side
from .patches import AN_EPOCH, LARGER, MOST_SIDE

__all__ = ["patch_of_masks", "thickness"]

THIN = 4.0  # pixels; thinner structures are learnt in larger images
SAMPLE, FEWEST = (
    12,
    3,
)  # training images whose masks are measured; of which a class must be in so many, or in all that have any
OVERLAPPING = 4  # how often windows that overlap by half look at each pixel
FORWARD = 1 / 3  # of what training on an image costs
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
PREDICTED = 3.0  # budgets of the final training that predictions may cost meanwhile and after it


def thickness(dataset: Dataset) -> float | None:
    """How thick the thinnest class is, as a share of the side of the square that holds its image: the median over some training images
    of twice the area over the length of the border, which is the width of a line and the radius of a disc. None without a mask."""
    train = dataset.part("train")
    having = [k for k, found in enumerate(train.cases["findings"].to_list()) if found and any(found)]
    found: dict[int, list[float]] = {}
    opened = 0
    for k in having[:: max(1, len(having) // SAMPLE)][:SAMPLE]:
        try:
            mask = read_mask(train, k)
        except EvenrayError:
            continue
        opened += 1
        for index in np.unique(mask).tolist():
            if 0 < index < UNKNOWN_PIXEL:
                found.setdefault(index, []).append(_width(mask == index) / max(mask.shape))
    told = [float(np.median(each)) for each in found.values() if len(each) >= min(FEWEST, opened)]
    return min(told, default=None)


def _width(mask: NDArray[np.bool_]) -> float:
    inner = cv2.erode(mask.astype(np.uint8), CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    area = int(mask.sum())
    return 2 * area / max(1, area - int(inner.sum()))


def patch_of_masks(
    dataset: Dataset, network: str, size: int, budget: float, why: dict[str, Message]
) -> tuple[int | None, int]:
    """The side of the patches, None where whole images of `size` do, and of the images: so large that structures are THIN pixels
    thick, as far as images are so large and predictions stay within PREDICTED budgets."""
    width, native = thickness(dataset), native_side(dataset)
    if width is None or width * size >= THIN:
        return None, size
    looks = len(dataset.part("validation")) * (AN_EPOCH + 1) + len(dataset.part("test"))
    affordable = 224 * math.sqrt(PREDICTED * budget / (max(1, looks) * OVERLAPPING * FORWARD * cost(network)))
    side = int(min(native, MOST_SIDE, math.ceil(THIN / width), affordable))
    if side < LARGER * size:
        return None, size
    values = {
        "pixels": round(width * size, 1), "least": THIN, "size": size, "side": side, "native": native, "there": round(width * side, 1)
    }  # fmt: skip
    why["patch"], why["size"] = Message("plan.patch.thin", values), Message("plan.size.thin", values)
    return size, side
