"""What belongs together, directly or through others; scipy's own takes longer to import than most tables to sort out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["components"]


def components(count: int, links: ArrayLike) -> NDArray[np.int64]:
    """The number of the component of each of `count` items, int64 (count,), in order of their first items.

    `links` (n, 2) joins pairs of items. Roots of trees hang themselves under the lowest root that they are linked to, and all
    climb to their root, until no link joins two trees (Shiloach and Vishkin, An O(log n) parallel connectivity
    algorithm, 1982).

    >>> components(5, [(3, 1), (4, 3)]).tolist()
    [0, 1, 2, 1, 1]
    """
    root, (one, two) = np.arange(count, dtype=np.int64), np.asarray(links, np.int64).reshape(-1, 2).T
    while len(one):
        apart = root[one] != root[two]
        one, two = root[one[apart]], root[two[apart]]
        np.minimum.at(root, np.maximum(one, two), np.minimum(one, two))
        while ((above := root[root]) != root).any():
            root = above
    return np.asarray(np.unique(root, return_inverse=True)[1], np.int64)
