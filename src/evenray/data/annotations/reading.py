"""The mask and the boxes of one case, from the columns `masks` and `boxes` of the table of cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError, ReadError
from evenray.core.marks import BACKGROUND, UNKNOWN_PIXEL, BoxStruct, MaskStruct
from evenray.core.names import as_path
from evenray.core.types import Dataset

from .mask_pixels import mask_pixels
from .mask_values import COLOUR, GREY

__all__ = [
    "NO_BOXES",
    "SMALLEST_SIDE",
    "clean_boxes",
    "index_of",
    "indexed",
    "joined",
    "read_boxes",
    "read_mask",
    "stretched",
]

Floats = NDArray[np.float64]
Whole = TypeVar("Whole", bound=np.integer[Any])
RESIZED = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)  # what OpenCV resizes as it is
SMALLEST_SIDE = 1.0  # pixels; a box whose sides are no longer has equal corners in formats that include the last pixel
NO_BOXES: Floats = np.zeros((0, 5))


def read_mask(dataset: Dataset, case: int) -> NDArray[np.uint8]:
    """The mask of the case at a row of `cases`, uint8 (H, W) as its image: 0 background, k + 1 class k, 255 unknown.

    Several masks are joined, the later over the earlier; one of another size than the image is stretched to it. Raises
    DataError where the case has no masks, ReadError where a file cannot be read.
    """
    rows, columns, masks = dataset.cases.select("rows", "columns", "masks").row(case)
    if masks is None:
        raise DataError(f"The case '{dataset.cases['case'][case]}' has no mask.")
    return joined(Path(dataset.root), masks, (rows, columns))


def joined(root: Path, masks: Sequence[MaskStruct], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """What several masks of one image say together, uint8 `shape`."""
    found = np.zeros(shape, np.uint8)
    for mask in masks:
        path = as_path(root / mask["file"]) if mask["file"] else root
        try:
            made_for = (
                mask.get("rows") or shape[0],
                mask.get("columns") or shape[1],
            )  # run folders of 0.1 have none of these
            pixels = mask_pixels(
                path, mask["fragment"] or "", mask["runs"] or "", made_for, coloured=bool(mask.get("coloured"))
            )
        except ValueError as error:
            raise ReadError(path, f"has a mask that cannot be read: {error}") from None
        own = stretched(indexed(pixels, mask["values"] or (0, 1), mask["indices"] or (0, 1)), shape)
        over = (own != BACKGROUND) & ((own != UNKNOWN_PIXEL) | (found == BACKGROUND))
        found[over] = own[over]
    return found


def stretched(pixels: NDArray[Whole], shape: tuple[int, int]) -> NDArray[Whole]:
    """A mask in the pixels of an image of `shape`: each takes the value of the one that lies at its middle.

    >>> stretched(np.array([[7, 70000]]), (2, 4))
    array([[    7,     7, 70000, 70000],
           [    7,     7, 70000, 70000]])
    """
    if pixels.shape == shape:
        return pixels
    # OpenCV makes 32 bits of 64, and takes no other order of bytes; the integers that masks have are exact in floats.
    known = pixels if pixels.dtype in RESIZED else pixels.astype(np.float64)
    return np.asarray(cv2.resize(known, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT), pixels.dtype)


def indexed(pixels: NDArray[np.integer[Any]], values: Sequence[int], indices: Sequence[int]) -> NDArray[np.uint8]:
    """The index of every pixel, uint8: that of the nearest of `values`, of equally near ones the first; of colours the nearest in
    red, green and blue, which grey levels (pixels of 8 or 16 bits) have alike.

    >>> indexed(np.array([[0, 3, 250]]), [0, 255], [0, 1])
    array([[0, 0, 1]], dtype=uint8)
    """
    small = (
        pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2
    )  # a table of all values is faster than to sort the pixels
    met, place = (
        (np.arange(int(pixels.max(initial=0)) + 1), pixels) if small else np.unique(pixels, return_inverse=True)
    )
    known = np.asarray(values, np.int64)
    if max(met.max(initial=0), known.max(initial=0)) < COLOUR:
        distance = np.abs(met[:, None] - known)
    else:
        met = met * GREY if small else met
        channels = [(each[:, None] >> shift & 255) for each in (met, known) for shift in (16, 8, 0)]
        distance = sum(abs(one - other.T) for one, other in zip(channels[:3], channels[3:], strict=True))
    nearest = np.asarray(indices, np.uint8)[distance.argmin(axis=1)]
    return np.asarray(nearest[place].reshape(pixels.shape))


def index_of(value: int, values: Sequence[int], indices: Sequence[int]) -> int:
    """The index of one value, as `indexed` gives it."""
    return int(indexed(np.array([value]), values, indices)[0])


def read_boxes(dataset: Dataset, case: int) -> Floats:
    """The boxes of the case at a row of `cases`, float64 (n, 5): class, x0, y0, x1, y1, in pixels of the image, half-open.

    What lies outside the image is cut off, and boxes of a pixel or less are left out. Of an object that is not to be counted
    the class is -1 - class. Raises DataError where the case has no boxes; an empty list is an answer.
    """
    rows, columns, boxes = dataset.cases.select("rows", "columns", "boxes").row(case)
    if boxes is None:
        raise DataError(f"The case '{dataset.cases['case'][case]}' has no annotation of boxes.")
    return clean_boxes(boxes, (rows, columns))


def clean_boxes(boxes: Sequence[BoxStruct], shape: tuple[int, int]) -> Floats:
    """Structs of the column `boxes` as `read_boxes` gives them, of an image of `shape` (rows, columns).

    >>> clean_boxes([{"class": 2, "x0": -3, "y0": 1, "x1": 4, "y1": 9, "ignored": True}], (8, 8))
    array([[-3.,  0.,  1.,  4.,  8.]])
    """
    if not boxes:
        return NO_BOXES.copy()
    found = np.array(
        [[-1 - b["class"] if b["ignored"] else b["class"], b["x0"], b["y0"], b["x1"], b["y1"]] for b in boxes],
        np.float64,
    )
    found[:, [1, 3]] = found[:, [1, 3]].clip(0, shape[1])
    found[:, [2, 4]] = found[:, [2, 4]].clip(0, shape[0])
    return found[(found[:, 3:] - found[:, 1:3] > SMALLEST_SIDE).all(axis=1)]
