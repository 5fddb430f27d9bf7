"""What a piece of work costs: time by the clock, processor time, and the most memory that it held."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "Meter"]


@dataclass(frozen=True)
class Cost:
    """`seconds` by the clock; `cpu_seconds` of all cores together, in this process and in children that have ended; `memory`,
    bytes, the most that this process held, `device_memory` the same on a graphics card. None where nobody tells."""

    seconds: float
    cpu_seconds: float | None = None
    memory: int | None = None
    device_memory: int | None = None


class Meter:
    """Measures from when it is made.

    >>> Meter().read().seconds < 60
    True
    """

    def __init__(self) -> None:
        with suppress(OSError):  # Linux: the peak begins anew
            Path("/proc/self/clear_refs").write_text("5")
        self.began, self.worked = time.perf_counter(), _worked()

    def read(self) -> Cost:
        return Cost(time.perf_counter() - self.began, _worked() - self.worked, _most_memory())


def _worked() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _most_memory() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
