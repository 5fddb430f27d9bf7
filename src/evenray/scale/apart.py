"""Processes of this machine, each for one task at a time: for what has to have its process for itself, as a training has."""

from __future__ import annotations

import ctypes
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor

from evenray.core.errors import WorkerError

__all__ = ["apart"]

PR_SET_PDEATHSIG = 1
# Set before a worker begins and never changed: the same numbers come out however many work at once.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def apart(jobs: int = 0) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """A `map` over `jobs` processes (0: one a core), results in order as they come; nothing runs in this process.

    Each computes with one thread, and ends with this process, however that ends. Raises WorkerError where one of them is killed.

    >>> list(apart(1)(abs, [-1, 2]))
    [1, 2]
    """

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        count = max(1, min(jobs or os.cpu_count() or 1, len(items)))
        pool = ProcessPoolExecutor(count, initializer=_end_with_parent, initargs=(os.getpid(),), env=ONE_THREAD)
        waiting: deque[Future[Any]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise WorkerError(
                f"One of {count} processes has died; the system kills one that takes too much memory, so give fewer, as with"
                " --jobs 1, and run the same command again: it goes on where it stopped."
            ) from error
        finally:
            pool.shutdown(kill_workers=True)

    return run


def _end_with_parent(parent: int) -> None:
    """Let the system end this process when its parent has gone, also when that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent ends its processes in order
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):  # another system: a worker ends with its task
        return
    if os.getppid() != parent:
        os._exit(1)
