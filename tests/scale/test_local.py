"""Threads and processes of this machine: work that grows long changes over, and a killed process is told in a sentence."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from evenray.core.errors import WorkerError
from evenray.scale import local

LOCAL = sys.modules["evenray.scale.local"]


def fatal(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.filterwarnings("ignore:.*resource_tracker.*")
def test_a_process_that_is_killed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LOCAL, "BRIEF", 0.0)
    with pytest.raises(
        WorkerError, match=r"One of 2 processes .* has died; .* --jobs 1, and run the same command again"
    ):
        list(local(2)(fatal, list(range(8))))
    assert list(local(2)(abs, [-1, -2, -3])) == [1, 2, 3]  # the next ones work


def worker(number: int) -> tuple[int, int]:
    time.sleep(0.02)
    return number, os.getpid()


def test_what_is_done_soon_stays_in_this_process() -> None:
    found = list(local(2)(worker, list(range(20))))
    assert found == [(number, os.getpid()) for number in range(20)]


def test_what_is_not_goes_on_in_processes_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LOCAL, "BRIEF", 0.1)
    monkeypatch.setattr(LOCAL, "REST", 0.1)
    found = list(local(2)(worker, list(range(60))))
    assert [number for number, _ in found] == list(range(60))
    here = [process == os.getpid() for _, process in found]
    assert here[0]
    assert not here[-1]
    assert here == sorted(here, reverse=True)


def test_what_a_function_raises_comes_through() -> None:
    with pytest.raises(TypeError):
        list(local(2)(len, [1, 2, 3]))  # type: ignore[arg-type]
