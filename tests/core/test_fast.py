"""The compiled loops give what numpy gives, and what is done without them, to the bit."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest

from evenray.core import fast
from evenray.core.threads import over, workers
from evenray.core.types import Image
from evenray.images.contrast import enhance
from evenray.images.histogram import Histogram

RNG = np.random.default_rng(0)
LARGE = 1_201_003  # values, enough for threads and no multiple of anything


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(request.param)
    yield request.param
    cv2.setNumThreads(before)


@pytest.mark.parametrize("bins", [1, 256, 1000, 4096, 65_536])
@pytest.mark.parametrize("size", [0, 3, 4, LARGE])
def test_counts_as_numpy(bins: int, size: int, threads: int) -> None:
    values = RNG.integers(0, bins, size).astype(np.uint16)
    assert np.array_equal(fast.count(values, bins), np.bincount(values, minlength=bins))


def test_large_ones_are_shared_among_threads(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shared: list[int] = []

    def watched(items: Sequence[Any], function: Callable[[Any], None], pixels: int) -> None:
        shared.append(min(workers(pixels), len(items)))
        over(items, function, pixels)

    monkeypatch.setattr(fast, "over", watched)
    values, outcome = np.zeros(LARGE, np.uint16), np.empty(LARGE, np.uint16)
    fast.count(values, 4096)
    fast.count_pairs(values)
    fast.look_up(values, np.arange(65_536, dtype=np.uint16), outcome)
    assert shared == [threads] * 3


def test_one_level_does_not_overflow_its_counter(threads: int) -> None:
    assert fast.count(np.full(1_000_002, 7, np.uint16), 4096)[7] == 1_000_002


@pytest.mark.parametrize("place", [0, 1, 2, 3, -1])
@pytest.mark.parametrize("bins", [4096, 4000])
def test_larger_values_are_left_out(place: int, bins: int) -> None:
    values = RNG.integers(0, bins, 1003).astype(np.uint16)
    values[place] = 65_535
    assert np.array_equal(fast.count(values, bins), np.bincount(values, minlength=65_536)[:bins])


@pytest.mark.parametrize("size", [0, 7, 8, LARGE])
def test_looks_up_as_numpy(size: int, threads: int) -> None:
    values, table = RNG.integers(0, 65_536, size).astype(np.uint16), RNG.permutation(65_536).astype(np.uint16)
    outcome = np.empty_like(values)
    fast.look_up(values, table, outcome)
    assert np.array_equal(outcome, table[values])


@pytest.mark.parametrize("shift", [0, 1, 7])
@pytest.mark.parametrize("size", [15, 16, 4003, LARGE])
def test_outcomes_that_are_written_past_the_caches_are_the_same(
    size: int, shift: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "_FAR", 0)
    values, table = RNG.integers(0, 65_536, size).astype(np.uint16), RNG.permutation(65_536).astype(np.uint16)
    outcome = fast.blank_like(np.empty(size + shift, np.uint16))[shift:]  # only the first can be
    fast.look_up(values, table, outcome)
    assert np.array_equal(outcome, table[values])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (512, 513)])
def test_blank_arrays_begin_where_vectors_do(shape: tuple[int, int], dtype: type) -> None:
    found = [fast.blank_like(np.empty(shape, dtype)) for _ in range(5)]
    assert all(one.shape == shape and one.dtype == dtype and one.ctypes.data % 32 == 0 for one in found)
    assert all(one.flags.c_contiguous and one.flags.writeable for one in found)


def test_values_may_be_read_only_and_lie_anywhere_in_memory() -> None:
    raw = RNG.integers(0, 256, 4001).astype(np.uint8)
    values = raw[1:].view(np.uint16)[:1999]
    values.setflags(write=False)
    assert np.array_equal(fast.count(values, 65_536), np.bincount(values, minlength=65_536))
    outcome = np.empty(1999, np.uint16)
    fast.look_up(values, np.arange(65_536, dtype=np.uint16), outcome)
    assert np.array_equal(outcome, values)


@pytest.mark.parametrize(
    ("dtype", "value_range", "top"),
    [
        (np.uint8, (0, 255), 256),
        (np.uint16, (0, 4095), 4096),
        (np.uint16, (0, 999), 4096),
        (np.uint16, (0, 65_535), 65_536),
        (np.int16, (-1024, 3071), 3072),
    ],
)
def test_images_come_out_alike_with_and_without_the_loops(
    dtype: type, value_range: tuple[int, int], top: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image(RNG.integers(min(value_range[0], 0), top, (1501, 1603)).astype(dtype), value_range)
    found = []
    for loops in (False, True):

        def worth(_pixels: int, loops: bool = loops) -> bool:
            return loops

        monkeypatch.setattr(fast, "worth_it", worth)
        found.append((Histogram.of(image).counts, enhance(image, "equalize | gamma(0.8)").pixels))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])


def test_small_images_never_load_the_loops() -> None:
    assert not fast.worth_it(1000)


# -- threads ------------------------------------------------------------------------------------------------------------


def test_every_item_is_done_once_and_the_first_error_is_raised() -> None:
    seen: list[int] = []
    over(range(5), seen.append, pixels=10**6)
    assert sorted(seen) == [0, 1, 2, 3, 4]

    def fail(item: int) -> None:
        seen.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match=r"[01]"):  # whichever thread was first
        over([0, 1], fail, pixels=10**6)


def test_a_thread_that_never_begins_is_not_waited_for(threads: int) -> None:
    inside = threading.Event()
    over(range(2), lambda _: None, pixels=10**6)
    with ThreadPoolExecutor(1) as other:  # keeps the helper busy until the caller has done everything itself
        busy = other.submit(over, range(2), lambda _: inside.wait(30), 10**6)
        seen: list[int] = []
        over(range(5), seen.append, pixels=10**6)
        inside.set()
        busy.result()
    assert sorted(seen) == [0, 1, 2, 3, 4]


def _counted(_: int) -> int:
    return int(fast.count(np.zeros(LARGE, np.uint16), 16)[0])


def test_works_in_many_threads_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(_counted, range(8))) == {LARGE}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_threads_of_its_own(threads: int) -> None:
    assert _counted(0) == LARGE  # so that this process has its threads already
    child = os.fork()
    if not child:
        right = False
        try:
            right = _counted(0) == LARGE
        finally:
            os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
