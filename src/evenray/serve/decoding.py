"""Work on files of all requests, in a few processes that may die of a file."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from functools import partial
from typing import Any

from evenray.core.events import Cancelled
from evenray.scale import isolated

__all__ = ["Decoders"]


class Decoders:
    """At most `jobs` processes (0: one a core), shared by all requests in the order in which they ask.

    >>> decoders = Decoders(1)
    >>> list(decoders.map(abs, [-1, 2])), decoders.one(abs, -3)
    ([1, 2], 3)
    >>> decoders.close()
    """

    def __init__(self, jobs: int = 0) -> None:
        self.jobs = jobs or os.cpu_count() or 1
        self.pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="decoder")
        self.given_up = threading.Event()

    def until(self, given_up: threading.Event) -> Decoders:
        """The same processes for one request: what has not begun when that is given up is not done any more (Cancelled)."""
        own = copy(self)
        own.given_up = given_up
        return own

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """A `map` as prediction takes it: results in order, or `Lost` for what has ended its process. Only a few items of a
        request wait at a time, so that a long one holds up the others no longer than these take."""
        waiting: deque[Future[Any]] = deque()
        try:
            for item in items:
                waiting.append(self._submit(partial(_isolated, function, item)))
                if len(waiting) > self.jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def one(self, function: Callable[[Any], Any], item: Any) -> Any:
        """The result for one item, or `Lost`."""
        return self._submit(partial(_isolated, function, item)).result()

    def own(self, work: Callable[[], Any]) -> Any:
        """The result of work that makes processes itself, one at a time."""
        return self._submit(work).result()

    def warm(self, function: Callable[[Any], Any], item: Any) -> None:
        """Start every process, and let it import what a function needs: that takes seconds, which the first request would wait."""
        for future in [self._submit(partial(_isolated, function, item)) for _ in range(self.jobs)]:
            future.result()

    def _submit(self, work: Callable[[], Any]) -> Future[Any]:
        def wanted() -> Any:
            if self.given_up.is_set():
                raise Cancelled
            return work()

        return self.pool.submit(wanted)

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)


def _isolated(function: Callable[[Any], Any], item: Any) -> Any:
    [result] = isolated(1)(function, [item])
    return result
