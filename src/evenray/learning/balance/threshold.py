"""Threshold moving alone: plain training; only the probability from which on a case is called positive moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._balance import Balance

__all__ = ["threshold"]


def threshold(class_counts: NDArray[np.int64], rule: str = "prevalence") -> Balance:
    """Names the rule for the operating point, one of evenray.metrics.rules, and fills nothing else.

    `prevalence` calls positive who is likelier positive than the average case (Collell, Prelec & Patil 2018).

    >>> threshold(np.array([500, 1])).rule
    'prevalence'
    """
    return Balance(rule=rule)
