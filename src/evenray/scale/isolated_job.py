"""One call of the map of isolated.py: items to give to workers, and results that wait to be asked for, in order."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Given", "Job"]

WAITING = 64  # results that wait to be asked for
NOTICE = 0.2  # seconds after which Ctrl-C is noticed: the handler that polars installs wakes no waiting thread


@dataclass
class Given:
    """An item that a worker has: its place, what it is, and how many workers have had it."""

    index: int
    item: Any
    tries: int = 0


class Job:
    """One call of the map: items to give, and results that wait."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any], ahead: int) -> None:
        try:
            folder = str(Path.cwd())
        except OSError:  # it has been deleted
            folder = "."
        self.function = pickle.dumps(("function", (folder, pickle.dumps(function, 5))), 5)
        self.items, self.ahead = items, ahead
        self.given = self.asked = 0
        self.results: dict[int, tuple[bool, Any]] = {}
        self.failure: BaseException | None = None
        self.closed = False
        self.changed = threading.Condition()

    def take(self, wait: bool) -> Given | None:
        """The next item; None where there is none, or, without `wait`, where enough results wait already."""
        with self.changed:
            while not self.closed and self.given < len(self.items) and self.given >= self.asked + WAITING:
                if not wait:
                    return None
                self.changed.wait()
            if self.closed or self.given == len(self.items):
                return None
            self.given += 1
            return Given(self.given - 1, self.items[self.given - 1])

    def put(self, index: int, answer: tuple[bool, Any]) -> None:
        with self.changed:
            self.results[index] = answer
            self.changed.notify_all()

    def fail(self, error: BaseException) -> None:
        with self.changed:
            self.failure = error
            self.changed.notify_all()

    def result(self, index: int) -> Any:
        with self.changed:
            self.asked = index
            self.changed.notify_all()
            while index not in self.results:
                if self.failure is not None:
                    raise self.failure
                self.changed.wait(NOTICE)
            done, value = self.results.pop(index)
        if not done:
            raise value
        return value

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()
