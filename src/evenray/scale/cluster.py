"""A dask cluster as a `map`: items go out a few for each thread, results come back in order, lost ones are made again."""

from __future__ import annotations

import logging
import os
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
                n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
            ) as cluster,
            Client(cluster) as client,
        ):  # fmt: skip
            yield _map(client)
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


def _map(client: Any) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]:
    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        threads = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())
        source = iter(items)
        waiting: deque[Any] = deque()
        try:
            waiting.extend(client.submit(function, one, pure=False) for one in islice(source, max(2, AHEAD * threads)))
            while waiting:
                found = _result(waiting.popleft())
                waiting.extend(client.submit(function, one, pure=False) for one in islice(source, 1))
                yield found
        finally:
            client.cancel(list(waiting))

    return run


def _result(future: Any) -> Any:
    try:
        return future.result()
    except KilledWorker:
        raise DataError(
            "One piece of the work ended three workers of the cluster: they ran out of memory, or a file makes their decoder"
            " crash. Give the workers more memory, or run with --engine local to see which file it is."
        ) from None
