"""Shares work over threads; as many as OpenCV is set to use, so one setting governs both."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

import cv2

T = TypeVar("T")

__all__ = ["ONE_THREAD", "Meanwhile", "over", "shares", "workers"]

_WORTH_IT = 500_000  # pixels; below, handing work to threads costs more than they save


class Meanwhile(Generic[T]):
    """A setting of the whole process that is another while any thread asks for it: the last one to end puts it back.

    >>> settings = {"level": 3}
    >>> low = Meanwhile(lambda: settings["level"], lambda value: settings.update(level=value), 0)
    >>> with low, low:
    ...     settings
    {'level': 0}
    >>> settings
    {'level': 3}
    """

    def __init__(self, now: Callable[[], T], change: Callable[[T], object], value: T) -> None:
        self.now, self.change, self.value = now, change, value
        self._lock, self._inside, self._before = Lock(), 0, value

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = self.now()
                self.change(self.value)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self.change(self._before)


ONE_THREAD = Meanwhile(cv2.getNumThreads, cv2.setNumThreads, 1)  # for tasks that are many at once, one on every core


def workers(pixels: int) -> int:
    """How many threads an image of so many pixels is worth."""
    return max(1, cv2.getNumThreads()) if pixels >= _WORTH_IT else 1


def shares(rows: int, pixels: int) -> list[tuple[int, int]]:
    """`rows` cut into at most four shares a thread: (first, last + 1); one share where threads are not worth it.

    More than one a thread, so that a thread that the machine keeps waiting holds nobody up for long.

    >>> shares(5, pixels=10)
    [(0, 5)]
    """
    threads = workers(pixels)
    number = max(1, min(rows, threads * 4 if threads > 1 else 1))
    cuts = [rows * k // number for k in range(number + 1)]
    return list(pairwise(cuts))


def over(items: Sequence[T], function: Callable[[T], None], pixels: int) -> None:
    """Call `function` with every item, in threads where the image is large; the first error is raised.

    The calling thread takes items too, and does not wait for threads that have not begun. `function` must not call
    `over` itself.

    >>> seen = []
    >>> over([1, 2], seen.append, pixels=10)
    >>> seen
    [1, 2]
    """
    left = iter(items)  # every thread takes the next one from it

    def work() -> None:
        for item in left:
            function(item)

    helpers = min(workers(pixels), len(items)) - 1
    places: list[None] = [None] * helpers  # a thread that finds none comes too late
    ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def help_out() -> None:
        if not _taken(places):
            return
        error = None
        try:
            work()
        except BaseException as raised:  # the caller raises it
            error = raised
        ended.put(error)

    for _ in range(helpers):
        _tasks(helpers, os.getpid()).put(help_out)
    try:
        work()
    finally:
        while _taken(places):
            helpers -= 1
        errors = [ended.get() for _ in range(helpers)]  # all are done before the arrays that they write to may go
    for error in filter(None, errors):
        raise error


def _taken(places: list[None]) -> bool:
    """Whether there was a place, which is taken now: one step for the interpreter, so no two threads take the same."""
    try:
        places.pop()
    except IndexError:
        return False
    return True


@cache
def _tasks(threads: int, _process: int) -> SimpleQueue[Callable[[], None]]:
    """What so many threads are to call, next; a forked process has none of its parent's.

    Kept, as starting threads takes a tenth of a millisecond, and without futures, as making and waiting for them takes a
    fortieth of what a large image does.
    """
    tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def serve() -> None:
        while True:
            tasks.get()()

    for _ in range(threads):
        Thread(target=serve, name="evenray", daemon=True).start()
    return tasks
