"""Hard negatives: of the places without an object only those that are mistaken most are learnt from."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Le
from numpy.typing import NDArray

from ._balance import Balance

__all__ = ["hard_negatives"]


def hard_negatives(class_counts: NDArray[np.int64], ratio: Annotated[float, Gt(0), Le(1000)] = 3.0) -> Balance:
    """A detector of boxes learns from the `ratio` most mistaken places of an image for each place of an object, 3 in SSD (Liu et al.
    2016, section 2.2); as it does where no ratio is named, but for losses that take all places, as focal.

    >>> hard_negatives(np.array([900, 100]), ratio=5).hard_negatives
    5
    """
    return Balance(hard_negatives=ratio, posterior=False)
