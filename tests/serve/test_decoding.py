"""Processes that all requests share: order, what is given up, and what one of them has ended."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from evenray.core.events import Cancelled
from evenray.core.lost import Lost
from evenray.serve.decoding import Decoders


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    found = Decoders(1)
    yield found
    found.close()


def test_results_come_in_order_from_another_process(decoders: Decoders) -> None:
    assert list(decoders.map(abs, [-3, 2, -1])) == [3, 2, 1]
    assert decoders.one(eval, "__import__('os').getpid()") != os.getpid()


def test_what_ends_its_process_is_lost_alone(decoders: Decoders) -> None:
    first, lost, last = decoders.map(eval, ["1", "__import__('os').abort()", "3"])
    assert (first, last) == (1, 3)
    assert isinstance(lost, Lost)


def test_what_was_given_up_before_it_began_is_not_done(decoders: Decoders) -> None:
    given_up = threading.Event()
    mine, done = decoders.until(given_up), []
    held = threading.Event()
    busy = threading.Thread(target=lambda: decoders.own(held.wait))
    busy.start()
    waiting = threading.Thread(target=lambda: done.append(_outcome(mine)))
    waiting.start()
    while not decoders.pool._work_queue.qsize():
        time.sleep(0.01)
    given_up.set()
    held.set()
    waiting.join()
    busy.join()
    assert done == ["cancelled"]
    assert decoders.one(abs, -1) == 1


def _outcome(decoders: Decoders) -> object:
    try:
        return decoders.own(lambda: "done")
    except Cancelled:
        return "cancelled"
