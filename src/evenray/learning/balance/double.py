"""A word in a chain that says that two corrections for the imbalance are meant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._balance import Balance

__all__ = ["double"]


def double(class_counts: NDArray[np.int64]) -> Balance:
    """Fills nothing; `oversample(0.5) | weighted(auto) | double` corrects twice without a warning.

    >>> double(np.array([500, 1])) == Balance()
    True
    """
    return Balance()
