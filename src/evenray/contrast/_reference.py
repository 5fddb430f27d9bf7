"""What a histogram is matched to: a named distribution, or one saved from an image or a data set."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenray.core.errors import UsageError, unknown_name
from evenray.histogram import Histogram

__all__ = ["DISTRIBUTIONS", "distribution", "saved"]

DISTRIBUTIONS = ("uniform", "normal", "exponential", "rayleigh")


def distribution(name: str, place: NDArray[np.float64], mean: float, sd: float) -> NDArray[np.float64]:
    """The cumulative share at positions 0 to 1 of a distribution cut off there, from 0 to 1.

    `mean` is that of the whole distribution, before it is cut off; only the normal one has an `sd`.

    >>> distribution("uniform", np.array([0.0, 0.25, 1.0]), 0.5, 0.2)
    array([0.  , 0.25, 1.  ])
    """
    if name == "uniform":
        return place
    if name == "normal":
        shares = ndtr((place - mean) / sd)
        first, last = ndtr(-mean / sd), ndtr((1 - mean) / sd)
    elif name == "exponential":
        shares, first, last = -np.expm1(-place / mean), 0.0, -np.expm1(-1 / mean)
    else:
        square = 2 * (mean / np.sqrt(np.pi / 2)) ** 2
        shares, first, last = -np.expm1(-(place**2) / square), 0.0, -np.expm1(-1 / square)
    if not last > first:
        raise UsageError(f"{name} with mean {mean} and sd {sd} has nothing between 0 and 1; bring the mean nearer.")
    return np.asarray((shares - first) / (last - first))


def saved(reference: str) -> Histogram:
    """The histogram saved under a file name; the error for an unknown name lists the distributions."""
    path = Path(reference)
    if not path.exists() and path.suffix != ".json":
        raise unknown_name("reference", reference, [*DISTRIBUTIONS, "a histogram saved as .json"])
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    return _loaded(str(path), stamp)


@lru_cache(maxsize=16)
def _loaded(path: str, stamp: int) -> Histogram:
    return Histogram.load(path)
