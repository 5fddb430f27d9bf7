"""Making the positive class rarer than it is, to see what each remedy does as positive cases become few."""

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
        raise UsageError(f"The imbalance is '{text}'; expected positive to other cases, as in 1:500.")
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
    positives_P = np.bincount(patients_N, targets_N == positive, P)
    others_P = np.bincount(patients_N, targets_N != positive, P)
    order = np.random.default_rng(seed).permutation(P)
    having, without = order[positives_P[order] > 0], order[positives_P[order] == 0]
    if positives_P.sum() * ratio > others_P.sum():
        fits = np.cumsum(positives_P[having]) * ratio <= others_P[without].sum() + np.cumsum(others_P[having])
        having = having[: int(np.flatnonzero(fits).max(initial=-1)) + 1]
    else:
        fits = np.cumsum(others_P[without]) + others_P[having].sum() <= positives_P.sum() * ratio
        without = without[: int(fits.sum())]
    if not len(having) or not (others_P[having].sum() + others_P[without].sum()):
        raise DataError(
            f"An imbalance of 1:{ratio:g} cannot be made of {int(positives_P.sum())} positive and {int(others_P.sum())} other cases"
            " without parting the images of a patient; choose a ratio nearer to theirs."
        )
    kept = np.zeros(P, dtype=bool)
    kept[having], kept[without] = True, True
    return kept[patients_N]
