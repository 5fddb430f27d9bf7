"""Images of many requests through one network: each gets its own answer, and what waits goes together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.serve.batching import Batched


def summed(x_NCHW: Any) -> Any:
    return x_NCHW.sum(axis=(1, 2, 3)).astype(np.float64)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(1, 6))
def test_everybody_gets_his_own_answer(sizes: list[int], most: int) -> None:
    network = Batched(summed, most)
    batches = [np.full((n, 1, 2, 2), number, np.float32) for number, n in enumerate(sizes)]
    with ThreadPoolExecutor(len(sizes)) as pool:
        found = list(pool.map(network, batches))
    network.close()
    assert [one.tolist() for one in found] == [[4.0 * number] * n for number, n in enumerate(sizes)]


class Held:
    """A network that computes only when it is let; remembers how many images came together."""

    def __init__(self) -> None:
        self.let, self.seen = threading.Semaphore(0), list[int]()
        self.begun = threading.Semaphore(0)

    def __call__(self, x_NCHW: Any) -> Any:
        self.seen.append(len(x_NCHW))
        self.begun.release()
        self.let.acquire()
        return summed(x_NCHW)


@pytest.mark.parametrize(("most", "batches"), [(8, [1, 5]), (2, [1, 2, 2, 1]), (1, [1, 1, 1, 1, 1, 1])])
def test_what_waits_goes_together_and_a_request_alone_waits_for_nobody(most: int, batches: list[int]) -> None:
    held = Held()
    network = Batched(held, most)
    x = np.zeros((1, 1, 1, 1), np.float32)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(network, x)
        held.begun.acquire()  # it computes, with nobody else there
        others = [pool.submit(network, x) for _ in range(5)]
        while len(network.waiting) < 5:
            pass
        for _ in range(6):
            held.let.release()
        assert [one.result().tolist() for one in (first, *others)] == [[0.0]] * 6
    network.close()
    assert held.seen == batches


def test_an_error_of_the_network_is_everybodys_in_the_batch_and_nobody_elses() -> None:
    def run(x_NCHW: Any) -> Any:
        if x_NCHW.max() > 1:
            raise MemoryError("too large")
        return summed(x_NCHW)

    network = Batched(run, 4)
    with pytest.raises(MemoryError, match="too large"):
        network(np.full((1, 1, 1, 1), 2, np.float32))
    assert network(np.ones((1, 1, 1, 1), np.float32)).tolist() == [1.0]
    network.close()


def test_a_model_that_was_replaced_still_answers_who_holds_it() -> None:
    network = Batched(summed, 4)
    network.close()
    assert not network.thread.is_alive()
    assert network(np.ones((2, 1, 1, 1), np.float32)).tolist() == [1.0, 1.0]
