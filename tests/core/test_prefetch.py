"""Results made ready ahead: in order, not too many of them, and no work begun once they are no longer wanted."""

from __future__ import annotations

import threading
import time

import pytest

from evenray.core.prefetch import prefetch


def test_look_ahead_is_bounded() -> None:
    made, taken, most = 0, 0, 0
    lock = threading.Lock()

    def work(one: int) -> int:
        nonlocal made, most
        with lock:
            made += 1
            most = max(most, made - taken)
        return -one

    for expected, found in enumerate(prefetch(work, iter(range(500)), threads=3, ahead=5)):
        assert found == -expected
        with lock:
            taken += 1
    assert most <= 5 + 1


def test_an_error_in_a_thread_ends_the_work() -> None:
    def work(one: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(prefetch(work, range(10), threads=2, ahead=4))


def test_what_nobody_waits_for_is_not_made() -> None:
    made: list[int] = []

    def work(one: int) -> int:
        time.sleep(0.01)
        made.append(one)
        return one

    results = prefetch(work, range(100), threads=1, ahead=3)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert len(made) <= 3
