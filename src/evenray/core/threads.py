"""Shares work over threads; as many as OpenCV is set to use, so one setting governs both."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import Generic, TypeVar

import cv2

T = TypeVar("T")

__all__ = ["ONE_THREAD", "Meanwhile", "over", "shares", "workers"]

_WORTH_IT = 500_000  # pixels; below, handing work to threads costs more than they save


class Meanwhile(Generic[T]):
    """A setting of the whole process that is another while any thread asks for it: the last one to end puts it back.

    >>> settings = {"level": 3}
    >>> low = Meanwhile(lambda: settings["level"], lambda value: settings.update(level=value), 0)
    >>> with low, low:
    ...     settings
    {'level': 0}
    >>> settings
    {'level': 3}
    """

    def __init__(self, now: Callable[[], T], change: Callable[[T], object], value: T) -> None:
        self.now, self.change, self.value = now, change, value
        self._lock, self._inside, self._before = Lock(), 0, value

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = self.now()
                self.change(self.value)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self.change(self._before)


ONE_THREAD = Meanwhile(cv2.getNumThreads, cv2.setNumThreads, 1)  # for tasks that are many at once, one on every core


def workers(pixels: int) -> int:
    """How many threads an image of so many pixels is worth."""
    return max(1, cv2.getNumThreads()) if pixels >= _WORTH_IT else 1


def shares(rows: int, pixels: int) -> list[tuple[int, int]]:
    """`rows` cut into at most four shares a thread: (first, last + 1); one share where threads are not worth it.

    More than one a thread, so that a thread that the machine keeps waiting holds nobody up for long.

    >>> shares(5, pixels=10)
    [(0, 5)]
    """
    threads = workers(pixels)
    number = max(1, min(rows, threads * 4 if threads > 1 else 1))
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
