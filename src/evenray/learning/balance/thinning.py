"""Making a class rarer than it is: what each remedy does as the sick become few, on the user's own data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError, UsageError

__all__ = ["parse_ratio", "thin"]


def parse_ratio(text: str) -> float:
    """How many others there are to be for each positive case, from a text such as 1:500.

    >>> parse_ratio("1:500")
    500.0
    """
    try:
        one, _, many = text.partition(":")
        ratio = float(many) / float(one)
    except (ValueError, ZeroDivisionError):
        ratio = float("nan")
    if not 0 < ratio < float("inf"):
        raise UsageError(f"The imbalance is '{text}'; expected sick to healthy, as in 1:500.")
    return ratio


def thin(
    targets_N: NDArray[np.int64], patients_N: NDArray[np.int64], positive: int, ratio: float, seed: int = 0
) -> NDArray[np.bool_]:
    """Which cases of the training part to keep, bool (N,), for `ratio` other cases to each of class `positive`.

    Whole patients go: of those with a positive case, or, where the class is rarer already, of those without. At one
    seed the rarer selections lie within the less rare ones. Raises DataError where not even one patient would be left.

    >>> targets = np.array([0] * 90 + [1] * 30)
    >>> kept = thin(targets, np.arange(120), positive=1, ratio=10)
    >>> np.bincount(targets[kept])
    array([90,  9])
    """
    P = int(patients_N.max()) + 1
    sick = np.bincount(patients_N, targets_N == positive, P)
    others = np.bincount(patients_N, targets_N != positive, P)
    order = np.random.default_rng(seed).permutation(P)
    ill, well = order[sick[order] > 0], order[sick[order] == 0]
    if sick.sum() * ratio > others.sum():
        fits = np.cumsum(sick[ill]) * ratio <= others[well].sum() + np.cumsum(others[ill])
        ill = ill[: int(np.flatnonzero(fits).max(initial=-1)) + 1]
    else:
        fits = np.cumsum(others[well]) + others[ill].sum() <= sick.sum() * ratio
        well = well[: int(fits.sum())]
    if not len(ill) or not (others[ill].sum() + others[well].sum()):
        raise DataError(
            f"An imbalance of 1:{ratio:g} cannot be made of {int(sick.sum())} positive and {int(others.sum())} other cases"
            " without parting the images of a patient; choose a ratio nearer to theirs."
        )
    kept = np.zeros(P, dtype=bool)
    kept[ill], kept[well] = True, True
    return kept[patients_N]
