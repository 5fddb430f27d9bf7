"""This machine's cores, by joblib."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from evenray.core.errors import WorkerError

__all__ = ["local"]


def local(jobs: int = 0) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """A `map` over `jobs` processes (0: one a core), results in order as they come; in this process where one suffices.

    Raises WorkerError where one of the processes is killed.

    >>> list(local(1)(abs, [-1, 2]))
    [1, 2]
    """
    count = jobs or os.cpu_count() or 1

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterable[Any]:
        if count == 1 or len(items) < 3:
            return map(function, items)
        return _parallel(function, items, min(count, len(items)))

    return run


def _parallel(function: Callable[[Any], Any], items: Sequence[Any], count: int) -> Iterator[Any]:
    from joblib import Parallel, delayed

    work = Parallel(n_jobs=count, return_as="generator", max_nbytes=None)
    try:
        yield from work(delayed(function)(item) for item in items)
    except BrokenProcessPool as error:
        raise WorkerError(
            f"One of {count} processes that read images has died; the system kills one that takes too much memory, so give"
            " fewer, as with --jobs 1, and run the same command again: it goes on where it stopped."
        ) from error
