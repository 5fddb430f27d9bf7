"""Objects that are small pictures within files of annotations."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .runs import to_runs
from .shapes import BadFile, Shape

__all__ = ["bitmap", "placed"]


def bitmap(png: bytes) -> NDArray[np.bool_]:
    """The pixels that are not 0 in a PNG, bool (H, W); of several channels the last counts, which says what is opaque. BadFile where
    it is none."""
    packed = np.frombuffer(png, np.uint8)
    found = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED) if packed.size else None
    if found is None:
        raise BadFile("a bitmap of it is no PNG")
    return np.asarray(found[..., -1] if found.ndim == 3 else found) > 0


def placed(label: str, part: NDArray[np.bool_], left: int, top: int, size: tuple[int, int]) -> Shape:
    """An object that is a part of an image of `size`; what lies to the right of the image or below it is cut off.

    >>> placed("cell", np.ones((2, 9), bool), 1, 1, (3, 4))
    Shape(label='cell', rings=(), runs='5 2 8 2 11 2', corners=(1, 1, 10, 3), is_box=False, ignored=False, cut=(), crowd=False)
    """
    whole = np.zeros(size, bool)
    inner = part[: max(0, size[0] - top), : max(0, size[1] - left)]
    whole[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return Shape(label, runs=to_runs(whole), corners=(left, top, left + part.shape[1], top + part.shape[0]))
