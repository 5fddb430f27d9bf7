"""Processes for what has to have one for itself: order, a killed worker, and an end with the parent, however it ends."""

from __future__ import annotations

import os

import pytest

from evenray.core.errors import WorkerError
from evenray.scale import apart

from .workers import fatal, threads, where


def test_nothing_runs_in_this_process_and_results_are_in_order() -> None:
    for jobs in (1, 2):
        found = list(apart(jobs)(where, list(range(12))))
        assert [number for number, _ in found] == list(range(12))
        assert os.getpid() not in {process for _, process in found}


def test_each_computes_with_one_thread() -> None:
    assert set(apart(2)(threads, [0, 1])) == {(1, "1")}


def test_a_process_that_is_killed_is_told() -> None:
    with pytest.raises(WorkerError, match=r"One of 2 processes has died; .* --jobs 1, and run the same command again"):
        list(apart(2)(fatal, list(range(8))))


def test_what_a_function_raises_comes_through() -> None:
    with pytest.raises(TypeError):
        list(apart(2)(len, [1, 2, 3]))  # type: ignore[arg-type]
