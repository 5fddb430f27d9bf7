"""Iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011): groups of cases with several findings divided into parts.

What is rarest is divided first: group by group it goes where most of it is still wanted. Beside the findings that cases have
those that they are known not to have are counted, which are the rarer ones where labels are mostly unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["divide"]

Ints = NDArray[np.int64]


def divide(counts_GL: Ints, size_G: Ints, shares: Sequence[float], rng: np.random.Generator) -> Ints:
    """The part of every group, int64 (groups,) in 0 .. len(shares) - 1.

    `counts_GL` has how many cases of each label a group holds, `size_G` how many cases at all; parts get about these `shares`
    of every label and of the cases, in whole groups.

    >>> counts = np.eye(6, 2, dtype=np.int64)[[0, 0, 0, 1, 1, 1]]
    >>> parts = divide(counts, np.ones(6, np.int64), [2 / 3, 1 / 3], np.random.default_rng(0))
    >>> [int((parts[counts[:, label] == 1] == 1).sum()) for label in (0, 1)]
    [1, 1]
    """
    aims = np.asarray(shares, dtype=np.float64)
    wanted_PL, wanted_P = np.outer(aims, counts_GL.sum(axis=0)), aims * size_G.sum()
    left_L, found = counts_GL.sum(axis=0).astype(np.float64), np.full(len(size_G), -1, dtype=np.int64)
    lots = rng.permutation(len(size_G))  # equal groups are taken in an order of chance
    while (left_L > 0).any():
        label = int(np.where(left_L > 0, left_L, np.inf).argmin())
        here = np.flatnonzero((counts_GL[:, label] > 0) & (found < 0))
        for group in here[np.lexsort((lots[here], -counts_GL[here, label]))].tolist():
            part = _neediest(wanted_PL[:, label], wanted_P, rng)
            found[group] = part
            wanted_PL[part] -= counts_GL[group]
            wanted_P[part] -= size_G[group]
            left_L -= counts_GL[group]
        left_L[label] = 0
    rest = np.flatnonzero(found < 0)
    for group in rest[np.lexsort((lots[rest], -size_G[rest]))].tolist():
        found[group] = part = _neediest(wanted_P, wanted_P, rng)
        wanted_P[part] -= size_G[group]
    return found


def _neediest(of_label_P: NDArray[np.float64], of_all_P: NDArray[np.float64], rng: np.random.Generator) -> int:
    """The part that wants most of a label; of equals that which wants most cases; of these one by chance."""
    best = np.flatnonzero(of_label_P >= of_label_P.max() - 1e-9)
    if len(best) > 1:
        best = best[of_all_P[best] >= of_all_P[best].max() - 1e-9]
    return int(best[0] if len(best) == 1 else rng.choice(best))
