"""Progressively balanced sampling: from the classes as they come to all classes alike."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ._balance import Balance
from ._sampling import draw, members, shuffle

__all__ = ["progressive"]


def progressive(
    class_counts: NDArray[np.int64], until: Annotated[float, Ge(0), Le(1)] = 0.5, *, epochs: Annotated[int, Ge(1)] = 10
) -> Balance:
    """Epochs of as many cases as there are, whose class shares go in even steps from their own in the first epoch to
    equal ones at the share `until` of the `epochs` planned (filled in), and stay there (Kang et al. 2020, eq. 3).

    The paper gets there with the last epoch; then what is learnt of how frequent classes are lies somewhere between, and
    cannot be undone. Each class is gone through in a random order before any of its cases comes again.

    >>> sampler = progressive(np.array([90, 10]), epochs=4).sampler
    >>> targets = np.repeat([0, 1], [90, 10])
    >>> [np.bincount(targets[sampler(targets, batch=8, seed=0, epoch=e)]).tolist() for e in range(4)]
    [[90, 10], [70, 30], [50, 50], [50, 50]]
    """
    steps = min(math.ceil(until * epochs), epochs - 1)  # equal in the last epoch at the latest

    def counts_in(counts: NDArray[np.int64], epoch: int) -> NDArray[np.int64]:
        return progressive_counts(counts, epoch / steps if epoch < steps else 1.0)

    def sampler(targets_N: NDArray[np.int64], *, batch: int, seed: int, epoch: int) -> NDArray[np.int64]:
        counts = np.bincount(targets_N, minlength=len(class_counts))
        earlier = np.sum([counts_in(counts, e) for e in range(epoch)], axis=0, dtype=np.int64) * np.ones_like(counts)
        drawn = zip(members(targets_N, len(counts)), earlier.tolist(), counts_in(counts, epoch).tolist(), strict=True)
        windows = [draw(of_class, before, now, (seed, k)) for k, (of_class, before, now) in enumerate(drawn)]
        order = np.concatenate(windows)
        shuffle(order, np.random.default_rng([seed, epoch]))
        return order

    return Balance(sampler=sampler, prior=np.full(len(class_counts), 1 / len(class_counts)), constant_from=until)


def progressive_counts(counts_K: NDArray[np.int64], progress: float) -> NDArray[np.int64]:
    """Cases of each class at `progress` (0 their own counts, 1 equal ones); they sum to all cases."""
    total = int(counts_K.sum())
    held = counts_K > 0
    ends = np.cumsum((1 - progress) * counts_K + progress * total * held / held.sum())
    return np.asarray(np.diff(np.round(ends), prepend=0.0), dtype=np.int64)
