"""A dask cluster as a `map`: items go out a few for each thread, results come back in order, lost ones are made again."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from distributed import Client, KilledWorker, LocalCluster

from evenray.core.errors import DataError, UsageError

__all__ = ["dask"]

AHEAD = 4  # items a thread that are under way: enough to hide the way there, few enough for flat memory
WAIT = "15 s"
LOOK, GONE = 5.0, 15.0  # seconds: how often it is looked whether workers are left, and for how long there may be none
START = 120.0  # seconds in which a new one starts, however loaded the machine


@contextmanager
def dask(address: str | None, jobs: int = 0) -> Iterator[Any]:
    """A `map` on the cluster at `address`, or on one of `jobs` processes made here (0: one a core) and closed afterwards.

    When a worker dies, dask makes again what it held; nothing is lost, and as every item is yielded once and every file
    is written whole or not at all, nothing is doubled. An item that takes three workers with it ends the work.
    """
    if address is None:
        workers = jobs or os.cpu_count() or 1
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
            ) as cluster,
            Client(cluster) as client,
        ):  # fmt: skip
            yield _map(client, lambda: _begin_anew(cluster, client, workers))
        return
    try:
        client = Client(address, timeout=WAIT)
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(
            f"No dask scheduler answers at '{address}' ({type(error).__name__}); give the address that 'dask scheduler'"
            " printed, such as tcp://host:8786."
        ) from None
    with client:
        yield _map(client)


def _map(
    client: Any, begin_anew: Callable[[], None] | None = None
) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]:
    """`begin_anew` makes workers where none is left; a cluster of others may be one whose workers come and go."""

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        source = iter(items)
        waiting: deque[Any] = deque()
        try:
            ahead = max(2, AHEAD * _threads(client))
            waiting.extend(client.submit(function, one, pure=False) for one in islice(source, ahead))
            while waiting:
                found = _result(client, waiting.popleft(), begin_anew)
                waiting.extend(client.submit(function, one, pure=False) for one in islice(source, 1))
                yield found
        finally:
            client.cancel(list(waiting))

    return run


def _begin_anew(cluster: Any, client: Any, workers: int) -> None:
    """A worker that dies before dask has noted that it runs is never replaced (Nanny, 2026.8), and work would wait for ever."""
    end = time.monotonic() + START
    cluster.scale(0)
    while cluster.workers and time.monotonic() < end:  # else the new ones would be taken for the old ones
        time.sleep(0.05)
    cluster.scale(workers)
    while not _threads(client):
        if time.monotonic() > end:
            raise DataError(
                f"All workers of the cluster have ended, and in {START:.0f} s no new one has started. See how many processes and"
                " how much memory this account may have, or run with --engine local."
            )
        time.sleep(0.05)


def _threads(client: Any) -> int:
    return sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())


def _result(client: Any, future: Any, begin_anew: Callable[[], None] | None) -> Any:
    last = time.monotonic()
    while True:
        try:
            return future.result(timeout=LOOK)
        except KilledWorker:
            raise DataError(
                "One piece of the work ended three workers of the cluster: they ran out of memory, or a file makes their"
                " decoder crash. Give the workers more memory, or run with --engine local to see which file it is."
            ) from None
        except TimeoutError:
            if future.done():  # the function itself has raised it
                raise
        if begin_anew is None or _threads(client):
            last = time.monotonic()
        elif time.monotonic() > last + GONE:
            begin_anew()
            last = time.monotonic()
