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


def shares(rows: int, pixels: int, each: int = 4) -> list[tuple[int, int]]:
    """`rows` cut into at most `each` shares a thread: (first, last + 1); one share where threads are not worth it.

    More than one a thread, so that a thread that the machine keeps waiting holds nobody up for long.

    >>> shares(5, pixels=10)
    [(0, 5)]
    """
    threads = workers(pixels)
    number = max(1, min(rows, threads * each if threads > 1 else 1))
    cuts = [rows * k // number for k in range(number + 1)]
    return list(pairwise(cuts))


def over(items: Sequence[T], function: Callable[[T], None], pixels: int) -> None:
    """Call `function` with every item, in threads where the image is large; the first error is raised.

    The calling thread takes items too, and does not wait for threads that have not begun. `function` must not call
    `over` itself.

    >>> seen = []
    >>> over([1, 2], seen.append, pixels=10)
    >>> seen
    [1, 2]
    """
    left = iter(items)  # every thread takes the next one from it

    def work() -> None:
        for item in left:
            function(item)

    helpers = min(workers(pixels), len(items)) - 1
    waiting = [_pool(helpers, os.getpid()).submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        begun = [one for one in waiting if not one.cancel()]
        for one in begun:
            one.exception()  # all are done before the arrays that they write to may go
    for one in begun:
        one.result()


@lru_cache(maxsize=4)
def _pool(threads: int, _process: int) -> ThreadPoolExecutor:
    """Kept, as starting threads takes a tenth of a millisecond; a forked process has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="evenray")
