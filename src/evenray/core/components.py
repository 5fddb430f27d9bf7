"""Connected components: which items belong together, directly or through others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["components"]


def components(count: int, links: ArrayLike) -> NDArray[np.int64]:
    """The number of the component of each of `count` items, int64 (count,), in order of their first items.

    `links` (n, 2) joins pairs of items.

    >>> components(5, [(3, 1), (4, 3)]).tolist()
    [0, 1, 2, 1, 1]
    """
    from scipy.sparse import coo_array  # takes a third of a second to import
    from scipy.sparse.csgraph import connected_components

    one, two = np.asarray(links, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(one)), (one, two)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
