"""Class-balanced focal loss: focal loss weighted by the effective number of samples."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Lt
from numpy.typing import NDArray

from ._balance import Balance
from ._weights import by_scheme, scaled
from .focal import focal_loss

__all__ = ["class_balanced_focal"]


def class_balanced_focal(
    class_counts: NDArray[np.int64],
    gamma: Annotated[float, Ge(0)] = 2.0,
    beta: Annotated[float, Ge(0), Lt(1)] = 0.999,
) -> Balance:
    """Focal loss whose classes weigh (1 - beta) / (1 - beta^n) (Cui et al. 2019, eq. 9), scaled to weigh one on average.

    >>> class_balanced_focal(np.array([500, 1])).prior.round(3)
    array([0.56, 0.44])
    """
    return focal_loss(gamma, scaled(by_scheme("effective", class_counts, beta), class_counts), class_counts)
