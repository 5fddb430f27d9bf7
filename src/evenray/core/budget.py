"""What reading one file may cost, in processes that read for others: the system itself ends what goes beyond.

In one's own process nothing is limited (a limit there would hold for everything else too), and these functions do nothing.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

__all__ = [
    "ASLEEP", "MEMORY", "NO_MEMORY", "SECONDS", "allow", "begin_part", "computed", "keep", "kept", "reading", "seconds",
]  # fmt: skip

SECONDS = 6.0  # of computing, for one image of no size
MEMORY = 2**30  # bytes, beyond those of the image itself
RATE = 2**26  # bytes of an image's own size that are worth another second: JPEG 2000 takes about that long
PAGE = os.sysconf("SC_PAGE_SIZE")
SMALL = 2**25  # bytes of an image for which nothing is set anew
ASLEEP = 600  # seconds by the clock, for what waits for ever and computes nothing
NO_MEMORY = "needs more memory than this machine has free, or than an image of its size is worth"
COUNTED = ~0 << 3  # the clock that Linux holds against RLIMIT_CPU (CPUCLOCK_PROF of this process; posix-timers.h)
FRESH = 0.5  # seconds for which limits once set serve the small files that follow as well


def _tell_nobody(part: int) -> None:
    pass


_kept: _Kept | None = None
_tell_part: Callable[[int], None] = _tell_nobody


def keep(tell_part: Callable[[int], None]) -> None:
    """From now on, let the system keep the limits in this process; `tell_part` hears which part of an item is begun."""
    global _kept, _tell_part
    _kept, _tell_part = _Kept(), tell_part


def kept() -> bool:
    """Whether the system keeps the limits in this process."""
    return _kept is not None


def seconds(size: int) -> int:
    """How long one image of so many bytes may be computed on."""
    return int(SECONDS + size / RATE) + 1


def computed() -> float:
    """The processor time of this process as its limit counts it, in seconds.

    Linux counts ticks for the limit, and time.process_time() says how long the process really ran: after minutes of computing
    on a busy machine they are seconds apart, and a limit set by the second clock may have passed before the work begins.
    """
    try:
        return time.clock_gettime(COUNTED)
    except OSError:  # not Linux
        return time.process_time()


def begin_part(number: int) -> None:
    """Say which part of an item of several files comes next, so that the one that ends this process is known."""
    _tell_part(number)


def allow(what: str, size: int) -> None:
    """Allow for the image itself: so many bytes, as its header has it; of each `what` the largest counts."""
    if _kept is not None:
        _kept.allow(what, size)


def reading() -> AbstractContextManager[object]:
    """The time in which one image is read; within it, memory beyond what is allowed is refused (MemoryError), and the
    process is ended where it computes for too long.

    Around the readings of many images it leaves the limits set from one small image to the next, for they cost more than a
    twentieth of the reading of a thumbnail: what is computed between them is then limited, too.
    """
    return nullcontext() if _kept is None else _kept


class _Kept:
    """The limits of this process."""

    def __init__(self) -> None:
        import resource  # Unix only

        self.set, self.kinds = resource.setrlimit, (resource.RLIMIT_CPU, resource.RLIMIT_DATA)
        self.hard = [resource.getrlimit(kind)[1] for kind in self.kinds]
        self.most = [2**62 if hard == resource.RLIM_INFINITY else hard for hard in self.hard]
        self.depth, self.begun, self.data, self.cpu = 0, -FRESH, 0, 0.0
        self.allowed: dict[str, int] = {}
        try:
            self.memory = os.open("/proc/self/statm", os.O_RDONLY)
        except OSError:  # not Linux, where no limit on memory is kept
            self.memory = -1

    def __enter__(self) -> None:
        self.depth, self.allowed = self.depth + 1, {}
        if time.monotonic() > self.begun + FRESH:
            self._begin()

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        if not self.depth or self._own() > SMALL:
            self.begun = -FRESH
            signal.setitimer(signal.ITIMER_REAL, 0)
            for kind, hard in zip(self.kinds, self.hard, strict=True):
                self.set(kind, (hard, hard))

    def allow(self, what: str, size: int) -> None:
        if size > self.allowed.get(what, 0):
            self.allowed[what] = size
            if self._own() > SMALL:
                self._set()

    def _own(self) -> int:
        return sum(self.allowed.values())

    def _begin(self) -> None:
        self.begun, self.cpu = time.monotonic(), computed()
        if self.memory >= 0:  # what RLIMIT_DATA counts, memory that this process may write to, in pages
            self.data = int(os.pread(self.memory, 200, 0).split()[5]) * PAGE
        self._set()
        signal.setitimer(signal.ITIMER_REAL, ASLEEP)

    def _set(self) -> None:
        own = max(SMALL, self._own())
        self.set(self.kinds[0], (min(int(self.cpu) + seconds(own), self.most[0]), self.hard[0]))
        if self.data:
            self.set(self.kinds[1], (min(self.data + MEMORY + own, self.most[1]), self.hard[1]))
