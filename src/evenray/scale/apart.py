"""Processes of this machine, each for one task at a time: for what has to have its process for itself, as a training has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from evenray.core.errors import WorkerError
from evenray.core.lost import Lost

from .isolated import isolated

__all__ = ["apart"]


def apart(jobs: int = 0) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """A `map` over `jobs` processes (0: one a core), results in order as they come; nothing runs in this process.

    Each computes with one thread, and ends with this process, however that ends. Raises WorkerError where one of them dies:
    of a training nothing is set aside.

    >>> list(apart(1)(abs, [-1, 2]))
    [1, 2]
    """

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for found in isolated(jobs, ahead=0)(function, items):
            if isinstance(found, Lost):
                count = max(1, min(jobs or os.cpu_count() or 1, len(items)))
                raise WorkerError(
                    f"One of {count} processes has died; the system kills one that takes too much memory, so give fewer, as"
                    " with --jobs 1, and run the same command again: it goes on where it stopped."
                )
            yield found

    return run
