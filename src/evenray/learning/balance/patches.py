"""Patches sampled by class: more of them than chance would have on what is rare in an image."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Le
from numpy.typing import NDArray

from ._balance import Balance

__all__ = ["foreground_patches"]


def foreground_patches(class_counts: NDArray[np.int64], share: Annotated[float, Gt(0), Le(1)] = 0.5) -> Balance:
    """Of the patches that a network of masks trains on, `share` are about a pixel of a class, any class of the image as
    likely as another (Isensee et al. 2021 take a third); the rest lie anywhere. Where whole images are trained on it changes
    nothing. What share a class has in such patches depends on where it lies, so calibration alone corrects for it.

    >>> foreground_patches(np.array([900, 100])).foreground
    0.5
    """
    return Balance(foreground=share, posterior=False)
