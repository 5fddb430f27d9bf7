"""Undersampling as class-balanced batches: every batch holds equal counts of each class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._balance import Balance
from ._sampling import balance_batches, draw, members

__all__ = ["undersample"]


def undersample(class_counts: NDArray[np.int64]) -> Balance:
    """An epoch is as many cases of each class as the rarest class has; every batch holds each class equally often.

    Successive epochs take the next cases of a random order of each class, so none is left out: a class with m times
    the cases of the rarest is seen whole in m epochs.

    >>> balance = undersample(np.array([4, 2]))
    >>> targets = np.array([0, 0, 0, 0, 1, 1])
    >>> epochs = [balance.sampler(targets, batch=2, seed=0, epoch=e) for e in (0, 1)]
    >>> [targets[e].reshape(2, 2).sum(axis=1).tolist() for e in epochs]
    [[1, 1], [1, 1]]
    >>> sorted(np.concatenate(epochs).tolist())
    [0, 1, 2, 3, 4, 4, 5, 5]
    """

    K = len(class_counts)

    def sampler(targets_N: NDArray[np.int64], *, batch: int, seed: int, epoch: int) -> NDArray[np.int64]:
        rarest = int(np.bincount(targets_N, minlength=K).min())
        found = enumerate(members(targets_N, K))
        rounds = np.stack([draw(of_class, rarest * epoch, rarest, (seed, k)) for k, of_class in found], axis=1)
        return balance_batches(rounds, batch, np.random.default_rng([seed, epoch]))

    return Balance(sampler=sampler, prior=np.full(K, 1 / K))
