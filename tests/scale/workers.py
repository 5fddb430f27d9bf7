"""What tests have other processes do; a module of its own, so that these import no more than it."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evenray.core import budget

ENDS: dict[str, Callable[[], Any]] = {
    "segv": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "abort": os.abort,
    "exit": lambda: os._exit(3),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
}


def where(item: int | str) -> tuple[int | str, int]:
    if isinstance(item, str):
        ENDS[item]()
    return item, os.getpid()


def fatal(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def threads(_: int) -> tuple[int, str]:
    import torch

    return torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]


def once(path: str) -> str:
    """Takes its process with it the first time, as the system does where others took the memory."""
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "read"


def large(size: int) -> np.ndarray:
    return np.full(size, size % 251, np.uint8)


def slow(number: int) -> int:
    time.sleep(0.01 * (number == 0))
    return number


@dataclass(frozen=True)
class Files:
    """As a task of the scan is."""

    names: tuple[int | str, ...]
    lost: tuple[tuple[int, str], ...] = ()

    def without(self, part: int, reason: str) -> Files:
        return replace(self, lost=(*self.lost, (part, reason)))


def read_all(files: Files) -> list[Any]:
    lost, found = dict(files.lost), list[Any]()
    for number, name in enumerate(files.names):
        budget.begin_part(number)
        found.append("lost" if number in lost else where(name)[0])
    return found


def greedy(item: tuple[str, int]) -> str:
    kind, size = item
    with budget.reading():
        budget.allow("own", size)
        if kind == "compute":
            while True:
                pass
        return f"{np.ones(5 * 2**28, np.uint8)[-1]}"


class Brief:
    """A function with a second to compute, so that the test is short."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, item: Any) -> Any:
        budget.SECONDS = 0.2
        try:
            return self.function(item)
        finally:
            budget.SECONDS = 6.0


def limited() -> bool:
    return all(
        resource.getrlimit(kind)[0] != resource.RLIM_INFINITY for kind in (resource.RLIMIT_CPU, resource.RLIMIT_DATA)
    )


def between(sizes: list[int]) -> list[bool]:
    """Whether limits hold within the reading of images of these sizes, after each, and at the end."""
    found = []
    with budget.reading():
        for size in sizes:
            with budget.reading():
                budget.allow("own", size)
                found.append(limited())
            found.append(limited())
    return [*found, limited()]


def wait(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    while True:
        pass


def at_the_limit(_: int) -> float:
    """How far the clock of the budget is from a limit of computing when the system says that it has been reached."""
    said: list[float] = []
    before = resource.getrlimit(resource.RLIMIT_CPU)
    signal.signal(signal.SIGXCPU, lambda *_: said.append(budget.computed()))
    limit = int(budget.computed()) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (limit, before[1]))
    while not said:
        sum(range(10_000))
    resource.setrlimit(resource.RLIMIT_CPU, before)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    return said[0] - limit


def reads_with_another_clock(behind: float) -> str:
    """Read in a process that is said to have run for less than the system counts, as after an hour on a busy machine."""
    clock = time.process_time
    while clock() < 1.5:  # a limit is a whole second above 0
        sum(range(10_000))
    time.process_time = lambda: clock() - behind
    try:
        with budget.reading():
            sum(range(10_000_000))
    finally:
        time.process_time = clock
    return "read"
