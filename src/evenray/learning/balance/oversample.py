"""Random oversampling: duplicate the rarer classes until their counts match."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Le
from numpy.typing import NDArray

from ._balance import Balance
from ._sampling import members, shuffle

__all__ = ["oversample", "oversampled"]


def oversample(class_counts: NDArray[np.int64], ratio: Annotated[float, Gt(0), Le(1)] = 1.0) -> Balance:
    """Every case once an epoch, and cases of the rarer classes again until each has `ratio` times the largest class.

    No case is repeated more than once oftener than another of its class; which ones are is drawn anew every epoch.

    >>> balance = oversample(np.array([6, 2]))
    >>> balance.prior
    array([0.5, 0.5])
    >>> np.bincount(balance.sampler(np.array([0] * 6 + [1] * 2), batch=4, seed=0, epoch=0))
    array([1, 1, 1, 1, 1, 1, 3, 3])
    """

    def sampler(targets_N: NDArray[np.int64], *, batch: int, seed: int, epoch: int) -> NDArray[np.int64]:
        counts = np.bincount(targets_N, minlength=len(class_counts))
        aims = oversampled(counts, ratio)
        rng = np.random.default_rng([seed, epoch])
        found = members(targets_N, len(counts))
        for of_class, aim in zip(found, aims, strict=True):
            if len(of_class) < aim:
                shuffle(of_class, rng)  # the last, partial round of copies takes a random part of the class
        order = np.concatenate([np.resize(of_class, aim) for of_class, aim in zip(found, aims, strict=True)])
        shuffle(order, rng)
        return order

    aims = oversampled(class_counts, ratio)
    return Balance(sampler=sampler, prior=aims / aims.sum())


def oversampled(counts_K: NDArray[np.int64], ratio: float) -> NDArray[np.int64]:
    """Cases of each class in an epoch: the larger of its own and `ratio` times the largest class's, rounded down.

    >>> oversampled(np.array([500, 1]), 0.5)
    array([500, 250])
    """
    return np.where(counts_K > 0, np.maximum(counts_K, int(ratio * counts_K.max())), 0)
