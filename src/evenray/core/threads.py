"""Shares work over threads; as many as OpenCV is set to use, so one setting governs both."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import cv2

T = TypeVar("T")

__all__ = ["over", "shares", "workers"]

_WORTH_IT = 500_000  # pixels; below, handing work to threads costs more than they save


def workers(pixels: int) -> int:
    """How many threads an image of so many pixels is worth."""
    return max(1, cv2.getNumThreads()) if pixels >= _WORTH_IT else 1


def shares(rows: int, pixels: int) -> list[tuple[int, int]]:
    """`rows` cut into one share a thread: (first, last + 1) each.

    >>> shares(5, pixels=10)
    [(0, 5)]
    """
    cuts = [rows * k // workers(pixels) for k in range(workers(pixels) + 1)]
    return list(pairwise(cuts))


def over(items: Sequence[T], function: Callable[[T], None], pixels: int) -> None:
    """Call `function` with every item, in threads where the image is large; the first error is raised.

    The last item is done in the calling thread. `function` must not call `over` itself.

    >>> seen = []
    >>> over([1, 2], seen.append, pixels=10)
    >>> seen
    [1, 2]
    """
    threads = workers(pixels)
    if threads == 1 or len(items) == 1:
        for item in items:
            function(item)
        return
    pool = _pool(threads - 1, os.getpid())
    waiting = [pool.submit(function, item) for item in items[:-1]]
    try:
        function(items[-1])
    finally:
        for one in waiting:
            one.exception()  # all are done before the arrays that they write to may go
    for one in waiting:
        one.result()


@lru_cache(maxsize=4)
def _pool(threads: int, _process: int) -> ThreadPoolExecutor:
    """Kept, as starting threads takes a tenth of a millisecond; a forked process has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="evenray")
