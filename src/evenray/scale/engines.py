"""An engine by its name: this machine's cores, a dask cluster, or ray through joblib."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from evenray.core.errors import MissingExtra, UsageError, unknown_name
from evenray.core.events import Map

from .apart import apart
from .isolated import isolated

__all__ = ["Engine", "engine"]

ENGINES = ("local", "dask", "ray")
SLICE = 8  # items a processor that go to ray together


@dataclass(frozen=True)
class Engine:
    """Two ways to map: `map` for reading and preparing, `apart` for what has to have its process for itself, as a training."""

    map: Map
    apart: Map


@contextmanager
def engine(name: str = "local", address: str | None = None, jobs: int = 0) -> Iterator[Engine]:
    """The maps of an engine, for as long as the block runs; results come in order, whichever worker made them.

    local: `jobs` processes of this machine (0: one a core). dask: the cluster whose scheduler is at `address`, else one
    of `jobs` processes made here. ray: joblib's backend, on the cluster at `address` or a new one; needs the package ray.

    >>> with engine("local", jobs=1) as found:
    ...     list(found.map(abs, [-1, 2]))
    [1, 2]
    """
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    if address is not None and name == "local":
        raise UsageError(f"--address {address} needs an engine that has one; give --engine dask or --engine ray.")
    if name == "local":
        yield Engine(isolated(jobs), apart(jobs))
    elif name == "dask":
        if find_spec("distributed") is None:
            raise MissingExtra("--engine dask", "dask[distributed]", "scale")
        from .cluster import dask

        with dask(address, jobs) as map:
            yield Engine(map, map)
    else:
        with _ray(address, jobs) as map:
            yield Engine(map, map)


@contextmanager
def _ray(address: str | None, jobs: int) -> Iterator[Map]:
    if find_spec("ray") is None:
        raise UsageError("--engine ray needs the package ray; install it with: pip install ray. Or give --engine dask.")
    import ray
    from joblib import Parallel, delayed, parallel_config
    from ray.util.joblib import register_ray

    ray.init(
        address=address,
        num_cpus=None if address else jobs or os.cpu_count(),
        log_to_driver=False,
        logging_level="ERROR",
    )
    register_ray()
    count = jobs or int(ray.cluster_resources().get("CPU", 1))

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for start in range(0, len(items), SLICE * count):  # its backend gives lists only
            some = items[start : start + SLICE * count]
            with parallel_config(backend="ray"):
                found = Parallel(n_jobs=count)(delayed(function)(item) for item in some)
            yield from found

    try:
        yield run
    finally:
        ray.shutdown()
