"""How many requests are worked on at once, and what the next one is told."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .metrics import AT_WORK
from .problems import Problem

__all__ = ["Room"]

RECENT = 0.2  # weight of the latest request in the mean of how long one takes


class Room:
    """Room for `most` requests: from their first byte to their answer's last. Beyond it Problem 429 says when to come again.

    >>> room = Room(1)
    >>> with room.place():
    ...     try:
    ...         with room.place(): pass
    ...     except Problem as problem: print(problem.status_code, problem.headers)
    429 {'Retry-After': '1', 'Connection': 'close'}
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.clock = most, clock
        self.taken, self.mean = 0, 0.0

    @contextmanager
    def place(self) -> Iterator[None]:
        if self.taken >= self.most:
            later = str(max(1, math.ceil(self.mean)))
            raise Problem(
                429, "serve.busy", {"Retry-After": later, "Connection": "close"}, most=self.most, seconds=later
            )
        self.taken += 1
        AT_WORK.inc()
        begun = self.clock()
        try:
            yield
        finally:
            self.mean += RECENT * (self.clock() - begun - self.mean)
            self.taken -= 1
            AT_WORK.dec()
