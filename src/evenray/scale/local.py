"""This machine's cores: threads for what is done in seconds, processes by joblib for what is not."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import cv2

from evenray.core.errors import WorkerError
from evenray.core.prefetch import prefetch

__all__ = ["local", "one_thread"]

BRIEF, REST = 1.0, 4.0  # seconds that threads work in any case, and of work that is left for which they go on


def one_thread() -> None:
    """For a process that is one of several, one on every core: OpenCV starts no threads in it."""
    import cv2

    cv2.setNumThreads(1)


def local(jobs: int = 0) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """A `map` over `jobs` threads or processes (0: one a core), results in order as they come.

    Decoding leaves Python free, so that threads do nearly as much as processes, which take a second to start: what is
    not nearly done after a second goes on in processes. Raises WorkerError where one of the processes is killed.

    >>> list(local(1)(abs, [-1, 2]))
    [1, 2]
    """
    count = jobs or os.cpu_count() or 1

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterable[Any]:
        if count == 1 or len(items) < 3:
            return map(function, items)
        return _growing(function, items, min(count, len(items)))

    return run


def _growing(function: Callable[[Any], Any], items: Sequence[Any], count: int) -> Iterator[Any]:
    started, taken, done = time.monotonic(), 0, 0

    def brief() -> Iterator[Any]:
        nonlocal taken
        while taken < len(items) and not _long(time.monotonic() - started, done, len(items) - taken):
            taken += 1
            yield items[taken - 1]

    for found in prefetch(function, brief(), threads=count, ahead=count + 1):
        yield found
        done += 1
    if taken == len(items):
        return
    yield from _parallel(function, items[taken:], count)


def _long(seconds: float, done: int, left: int) -> bool:
    """Whether after so many seconds so much is left that processes are worth their start.

    >>> _long(0.5, 1, 1000), _long(2, 2, 10), _long(2, 20, 10)
    (False, True, False)
    """
    return seconds >= BRIEF and left > 0 and (not done or left * seconds / done > REST)


def _parallel(function: Callable[[Any], Any], items: Sequence[Any], count: int) -> Iterator[Any]:
    from joblib import Parallel, delayed

    # Joblib starts a process anew that has grown by 300 MB, as one that trains does, and nothing is lost by it.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
    work = Parallel(n_jobs=count, return_as="generator", max_nbytes=None, initializer=one_thread)
    try:
        yield from work(delayed(_alone)(function, item) for item in items)
    except BrokenProcessPool as error:
        raise WorkerError(
            f"One of {count} processes that read images has died; the system kills one that takes too much memory, so give"
            " fewer, as with --jobs 1, and run the same command again: it goes on where it stopped."
        ) from error


def _alone(function: Callable[[Any], Any], item: Any) -> Any:
    """In one of many processes, each with a core of its own: OpenCV must not start threads for all cores in each."""
    cv2.setNumThreads(1)
    return function(item)
