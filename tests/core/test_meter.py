"""What work costs: the processor time of what was really done, and memory that comes and goes."""

from __future__ import annotations

import mmap
import sys
import time

import pytest

from evenray.core.meter import Meter


def test_sleeping_takes_the_clock_and_no_processor() -> None:
    meter = Meter()
    time.sleep(0.3)
    cost = meter.read()
    assert cost.seconds >= 0.3
    assert cost.cpu_seconds is not None
    assert cost.cpu_seconds < 0.2


def test_work_takes_the_processor() -> None:
    meter, began = Meter(), time.process_time()
    while time.process_time() - began < 0.2:
        sum(range(1000))
    worked = meter.read().cpu_seconds
    assert worked is not None
    assert worked >= 0.15


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is that of the whole process")
def test_the_peak_is_that_of_the_work_alone() -> None:
    size = 200_000_000
    large = Meter()
    with mmap.mmap(-1, size) as held:  # which goes back to the system, whatever malloc keeps
        for page in range(0, size, mmap.PAGESIZE):
            held[page] = 1
        most = large.read().memory
    small = Meter().read().memory
    assert most is not None
    assert small is not None
    assert most - small > 0.8 * size
