"""Processes of this machine: a killed one is told in a sentence."""

from __future__ import annotations

import os
import signal

import pytest

from evenray.core.errors import WorkerError
from evenray.scale import local


def fatal(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.filterwarnings("ignore:.*resource_tracker.*")
def test_a_process_that_is_killed_is_told() -> None:
    with pytest.raises(
        WorkerError, match=r"One of 2 processes .* has died; .* --jobs 1, and run the same command again"
    ):
        list(local(2)(fatal, list(range(8))))
    assert list(local(2)(abs, [-1, -2, -3])) == [1, 2, 3]  # the next ones work


def test_what_a_function_raises_comes_through() -> None:
    with pytest.raises(TypeError):
        list(local(2)(len, [1, 2, 3]))  # type: ignore[arg-type]
