"""What reading one file may cost, in processes that read for others: the system itself ends what goes beyond.

In one's own process nothing is limited (a limit there would hold for everything else too), and these functions do nothing.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["MEMORY", "SECONDS", "allow", "begin_part", "keep", "reading"]

SECONDS = 6.0  # of computing, for one image of no size
MEMORY = 2**30  # bytes, beyond those of the image itself
RATE = 2**26  # bytes of an image's own size that are worth another second: JPEG 2000 takes about that long
PAGE = os.sysconf("SC_PAGE_SIZE")
SMALL = 2**25  # bytes of an image for which nothing is set anew
ASLEEP = 600  # seconds by the clock, for what waits for ever and computes nothing


def _tell_nobody(part: int) -> None:
    pass


_kept: _Kept | None = None
_tell_part: Callable[[int], None] = _tell_nobody


def keep(tell_part: Callable[[int], None]) -> None:
    """From now on, let the system keep the limits in this process; `tell_part` hears which part of an item is begun."""
    global _kept, _tell_part
    _kept, _tell_part = _Kept(), tell_part


def begin_part(number: int) -> None:
    """Say which part of an item of several files comes next, so that the one that ends this process is known."""
    _tell_part(number)


def allow(what: str, size: int) -> None:
    """Allow for the image itself: so many bytes, as its header has it; of each `what` the largest counts."""
    if _kept is not None:
        _kept.allow(what, size)


@contextmanager
def reading() -> Iterator[None]:
    """The time in which one image is read; within it, memory beyond what is allowed is refused (MemoryError), and the
    process is ended where it computes for too long."""
    if _kept is None:
        yield
        return
    _kept.begin()
    try:
        yield
    finally:
        _kept.end()


class _Kept:
    """The limits of this process, set anew for each reading; a few microseconds each time, for many files take no longer."""

    def __init__(self) -> None:
        import resource  # Unix only

        self.set, self.kinds = resource.setrlimit, (resource.RLIMIT_CPU, resource.RLIMIT_DATA)
        self.hard = [resource.getrlimit(kind)[1] for kind in self.kinds]
        self.most = [2**62 if hard == resource.RLIM_INFINITY else hard for hard in self.hard]
        self.data, self.cpu = 0, 0.0
        self.allowed: dict[str, int] = {}
        try:
            self.memory = os.open("/proc/self/statm", os.O_RDONLY)
        except OSError:  # not Linux, where no limit on memory is kept
            self.memory = -1

    def begin(self) -> None:
        self.cpu, self.allowed = time.process_time(), {}
        if self.memory >= 0:  # what RLIMIT_DATA counts, memory that this process may write to, in pages
            self.data = int(os.pread(self.memory, 200, 0).split()[5]) * PAGE
        self._set()
        signal.setitimer(signal.ITIMER_REAL, ASLEEP)

    def allow(self, what: str, size: int) -> None:
        if size > self.allowed.get(what, 0):
            self.allowed[what] = size
            if sum(self.allowed.values()) > SMALL:
                self._set()

    def _set(self) -> None:
        own = max(SMALL, sum(self.allowed.values()))
        self.set(self.kinds[0], (min(int(self.cpu + SECONDS + own / RATE) + 1, self.most[0]), self.hard[0]))
        if self.data:
            self.set(self.kinds[1], (min(self.data + MEMORY + own, self.most[1]), self.hard[1]))

    def end(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind, hard in zip(self.kinds, self.hard, strict=True):
            self.set(kind, (hard, hard))
