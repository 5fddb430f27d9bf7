"""What reading one file may cost, in processes that read for others: the system itself ends what goes beyond.

In one's own process nothing is limited (a limit there would hold for everything else too), and these functions do nothing.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["MEMORY", "SECONDS", "allow", "begin_part", "keep", "reading"]

SECONDS = 6.0  # of computing, for one image of no size
MEMORY = 2**30  # bytes, beyond those of the image itself
RATE = 2**26  # bytes of an image's own size that are worth another second: JPEG 2000 takes about that long
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
    """The limits of this process, set anew for each reading."""

    def __init__(self) -> None:
        import resource  # Unix only

        self.system = resource
        self.data, self.cpu = 0, 0.0
        self.allowed: dict[str, int] = {}

    def begin(self) -> None:
        self.data, self.cpu, self.allowed = _data_bytes(), time.process_time(), {}
        self._set()
        signal.setitimer(signal.ITIMER_REAL, ASLEEP)

    def allow(self, what: str, size: int) -> None:
        if size > self.allowed.get(what, 0):
            self.allowed[what] = size
            self._set()

    def _set(self) -> None:
        own = sum(self.allowed.values())
        seconds = self.cpu + SECONDS + own / RATE
        self._limit(self.system.RLIMIT_CPU, int(seconds) + 1)
        if self.data:
            self._limit(self.system.RLIMIT_DATA, self.data + MEMORY + own)

    def _limit(self, kind: int, value: int) -> None:
        hard = self.system.getrlimit(kind)[1]
        self.system.setrlimit(kind, (value if hard == self.system.RLIM_INFINITY else min(value, hard), hard))

    def end(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind in (self.system.RLIMIT_CPU, self.system.RLIMIT_DATA):
            hard = self.system.getrlimit(kind)[1]
            self.system.setrlimit(kind, (hard, hard))


def _data_bytes() -> int:
    """What RLIMIT_DATA counts: memory that this process may write to; 0 where the system does not say (not Linux)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[5]) * 4096
    except OSError:
        return 0
