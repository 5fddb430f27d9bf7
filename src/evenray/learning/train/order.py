"""Which rows stand in which batch of which epoch. Everything follows from the seed and the position, nothing is kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.learning.balance import Balance

__all__ = ["batches_an_epoch", "cut", "epoch_batches", "mine", "seed_of"]

Rows = NDArray[np.int64]


def batches_an_epoch(cases: int, batch: int, processes: int = 1) -> int:
    """Steps of an epoch. Every remedy gets as many, however its sampler divides the cases: so they compare at equal cost.

    >>> batches_an_epoch(65, 32), batches_an_epoch(66, 32)
    (2, 3)
    """
    left = cases % batch
    return max(1, cases // batch + (left >= _least(batch, processes)))


def epoch_batches(epoch: int, targets: Rows, batch: int, seed: int, balance: Balance, processes: int = 1) -> list[Rows]:
    """The batches of an epoch: a permutation, or the next ones of a sampler, whose own epochs follow one another."""
    if balance.sampler is None:
        return cut(np.random.default_rng([seed, epoch, 0]).permutation(len(targets)), batch, processes)
    wanted = batches_an_epoch(len(targets), batch, processes)
    drawn = balance.sampler(targets, batch=batch, seed=seed, epoch=0)
    first, skipped = divmod(epoch * wanted, batches_an_epoch(len(drawn), batch, processes))
    found: list[Rows] = []
    while len(found) < skipped + wanted:
        found += cut(balance.sampler(targets, batch=batch, seed=seed, epoch=first), batch, processes)
        first += 1
    return found[skipped : skipped + wanted]


def cut(order: Rows, batch: int, processes: int = 1) -> list[Rows]:
    """An order in batches; a last batch that is too small waits for the next epoch's order.

    Batch normalisation cannot learn from one image, and every process needs one.

    >>> [len(part) for part in cut(np.arange(9), 4)], [len(part) for part in cut(np.arange(11), 4, processes=4)]
    ([4, 4], [4, 4])
    """
    steps = batches_an_epoch(len(order), batch, processes)
    return [order[start : start + batch] for start in range(0, steps * batch, batch)]


def _least(batch: int, processes: int) -> int:
    return 1 if batch == 1 else max(2, processes)


def mine(n: int, rank: int, processes: int) -> slice:
    """The part of a batch of `n` images that process `rank` has; the parts are whole, even to one, and do not overlap.

    >>> [mine(5, rank, 2) for rank in (0, 1)]
    [slice(0, 2, None), slice(2, 5, None)]
    """
    return slice(n * rank // processes, n * (rank + 1) // processes)


def seed_of(*key: int) -> int:
    """A seed for torch that a position in training fixes."""
    return int(np.random.SeedSequence(key).generate_state(1)[0])
