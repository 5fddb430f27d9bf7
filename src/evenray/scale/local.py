"""This machine's cores, by joblib."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = ["local"]


def local(jobs: int = 0) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """A `map` over `jobs` processes (0: one a core), results in order as they come; in this process where one suffices.

    >>> list(local(1)(abs, [-1, 2]))
    [1, 2]
    """
    count = jobs or os.cpu_count() or 1

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterable[Any]:
        if count == 1 or len(items) < 3:
            return map(function, items)
        from joblib import Parallel, delayed

        found: Iterable[Any] = Parallel(n_jobs=min(count, len(items)), return_as="generator", max_nbytes=None)(
            delayed(function)(item) for item in items
        )
        return found

    return run
