"""Results made ready by threads before they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

__all__ = ["prefetch"]

Item = TypeVar("Item")
Made = TypeVar("Made")


def prefetch(
    make: Callable[[Item], Made], items: Iterable[Item], *, threads: int = 1, ahead: int = 2
) -> Iterator[Made]:
    """`map` in threads: results in order, at most `ahead` of them waiting; an error arises where its result would.

    >>> list(prefetch(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    left = iter(items)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="prefetch")
    try:
        waiting: deque[Future[Made]] = deque(pool.submit(make, item) for item in islice(left, ahead))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(pool.submit(make, item) for item in islice(left, 1))
            yield made
    finally:
        pool.shutdown(cancel_futures=True)
