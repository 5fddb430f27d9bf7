"""The fingerprint: the 64 lowest cosine frequencies of the thumbnail, from which near duplicates, polarity,
orientation and uneven light are found without opening a file again.

A flip or a turn of the image only changes signs and places of these numbers, a negative changes all signs. The usual
perceptual hash (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010) keeps their signs;
here the numbers are kept, because the signs of aligned images (all chest X-rays) hardly differ: the audit takes the
signs after the mean of the data set is taken off.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.images.histogram import Histogram

from ._reduced_image import Measured, Reduced

__all__ = ["TURNS", "fingerprint_of", "measure_fingerprint", "turned"]

_ODD = np.arange(8) % 2 * -2 + 1

# What each turn of the square does to the 8 x 8 coefficients: (transpose, row signs, column signs).
TURNS: dict[str, tuple[bool, NDArray[Any], NDArray[Any]]] = {
    "left_right": (False, np.ones(8), _ODD),
    "top_bottom": (False, _ODD, np.ones(8)),
    "180": (False, _ODD, _ODD),
    "90": (True, np.ones(8), _ODD),
    "270": (True, _ODD, np.ones(8)),
    "mirrored_90": (True, np.ones(8), np.ones(8)),
    "mirrored_270": (True, _ODD, _ODD),
}


@cache
def _basis() -> NDArray[np.float32]:
    """The eight lowest frequencies of the orthonormal discrete cosine transform of 32 values."""
    lowest: NDArray[np.float64] = np.cos(np.pi / 64 * np.outer(np.arange(8), 2 * np.arange(32) + 1)) / 4
    lowest[0] /= math.sqrt(2)
    return lowest.astype(np.float32)


def measure_fingerprint(image: Image, histogram: Histogram, reduced: Reduced) -> Measured:
    """Sketches thumbnail, uint8 (32, 32), and fingerprint, float16 (64,), see fingerprint_of."""
    numbers = fingerprint_of(reduced.thumbnail)
    return {"thumbnail": reduced.thumbnail, "fingerprint": numbers.astype("<f2").ravel()}


def fingerprint_of(thumbnail: NDArray[Any]) -> NDArray[np.float32]:
    """The lowest 8 x 8 coefficients of the orthonormal DCT-II of thumbnails (..., 32, 32), float32 (..., 8, 8).

    Divided by 32 x 255, so that the first is the mean grey level, 0..1.

    >>> fingerprint_of(np.full((32, 32), 255, np.uint8))[0, :2].round(3).tolist() == [1, 0]
    True
    """
    return np.asarray(_basis() @ thumbnail.astype(np.float32) @ _basis().T / np.float32(32 * 255))


def turned(coefficients: NDArray[Any], turn: str) -> NDArray[Any]:
    """The fingerprints (images, 8, 8) that the images would have after one of the TURNS.

    >>> picture = np.arange(1024, dtype=np.uint8).reshape(32, 32)
    >>> mirrored = turned(fingerprint_of(picture)[None], "left_right")[0]
    >>> bool(np.allclose(mirrored, fingerprint_of(picture[:, ::-1]), atol=1e-6))
    True
    """
    transpose, rows, columns = TURNS[turn]
    swapped = coefficients.transpose(0, 2, 1) if transpose else coefficients
    return np.asarray(swapped * rows[:, None] * columns)
