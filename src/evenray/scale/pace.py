"""How fast a server is asked: no more requests a second than the environment allows."""

from __future__ import annotations

import os
import threading
import time

from evenray.core.errors import UsageError

__all__ = ["Pace", "pace"]


class Pace:
    """Called before each request: waits so long that no more are made than so many a second."""

    def __init__(self, rate: float | None) -> None:
        self.rate, self.next, self.lock = rate, 0.0, threading.Lock()

    def __call__(self) -> None:
        if self.rate is None:
            return
        with self.lock:
            now = time.monotonic()
            at, self.next = max(now, self.next), max(now, self.next) + 1 / self.rate
        time.sleep(max(0.0, at - now))


def pace(variable: str) -> Pace:
    """The pace that a variable of the environment sets, in requests a second; UsageError for what is no rate."""
    told = os.environ.get(variable)
    try:
        rate = float(told) if told else None
    except ValueError:
        rate = -1.0
    if rate is not None and not 0 < rate < float("inf"):
        raise UsageError(f"{variable} is '{told}'; give a number of requests a second above 0, such as 5.")
    return Pace(rate)
