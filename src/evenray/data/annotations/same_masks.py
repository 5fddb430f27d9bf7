"""Masks that their names call by different words and that show the same: of several readers, or several forms of one drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError
from evenray.core.names import as_path

from .found import MaskFile
from .mask_pixels import mask_pixels
from .mask_ways import several_kinds

__all__ = ["check_classes"]

SAMPLE, FEWEST = 5, 2  # images whose masks are compared, and of which both masks have something
SAME = 0.5  # overlap (intersection over union) from which on two masks are of one thing
WITHIN, PART = (
    0.95,
    0.8,
)  # share of the smaller that lies in the larger, as a cup in its disc; overlap up to which it is a part of it
RIM = 2  # pixels: what lies no farther around the smaller is no more than the same drawn wider, as vessels are by a second reader


def check_classes(root: Path, masks: Mapping[str, Sequence[MaskFile]], classes: Sequence[str]) -> None:
    """DataError, with the option that chooses, where the masks of two classes have nearly the same pixels in most of some images."""
    overlaps: dict[tuple[str, str], list[bool]] = {}
    example: dict[str, str] = {}
    images = [image for image, own in sorted(masks.items()) if len(own) > 1]
    for image in images[:: max(1, len(images) // SAMPLE)][:SAMPLE]:
        drawn: dict[str, NDArray[np.bool_]] = {}
        for mask in masks[image]:
            name = classes[(mask.index or 1) - 1]
            try:
                drawn[name] = _drawn(mask_pixels(as_path(root / mask.file), mask.fragment or "", coloured=True))
            except ReadError:
                continue
            example.setdefault(name, mask.file)
        for one, other in combinations(sorted(drawn), 2):
            if drawn[one].shape == drawn[other].shape and drawn[one].any() and drawn[other].any():
                overlaps.setdefault((one, other), []).append(_same(drawn[one], drawn[other]))
    same = [pair for pair, found in overlaps.items() if len(found) >= FEWEST and median(found) == 1]
    if same:
        raise several_kinds([example[name] for name in sorted({name for pair in same for name in pair})])


def _drawn(pixels: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """What is not black, or where nothing is black, not the most frequent value."""
    values, counts = np.unique(pixels, return_counts=True)
    return np.asarray(pixels != (0 if values[0] == 0 else values[counts.argmax()]))


def _same(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    both, any_of = int((one & other).sum()), int((one | other).sum())
    if both < WITHIN * min(int(one.sum()), int(other.sum())):
        return both > SAME * any_of
    smaller, larger = sorted((one, other), key=np.count_nonzero)
    wider = cv2.dilate(smaller.astype(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)) > 0
    return both > PART * any_of or bool((larger & wider).sum() >= WITHIN * larger.sum())
