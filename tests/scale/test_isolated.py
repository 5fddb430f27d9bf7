"""Processes that may die: order, whatever ends one of them, what is lost, what is given again, and their end with the parent."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from evenray.core.lost import Lost
from evenray.scale import isolated
from evenray.scale.isolated import _Worker

from .workers import (
    Brief,
    Files,
    at_the_limit,
    between,
    greedy,
    large,
    once,
    read_all,
    reads_with_another_clock,
    slow,
    where,
)  # fmt: skip


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("segv", r"crashes on it \(SIGSEGV\)"),
        ("abort", r"\(SIGABRT\)"),
        ("exit", r"\(exit code 3\)"),
        ("kill", "twice"),
    ],
)
def test_an_item_that_ends_its_process_is_lost_and_no_other(end: str, reason: str) -> None:
    items = [0, 1, 2, end, 4, 5, end, 7, *range(8, 80)]
    found = list(isolated(2)(where, items))
    assert [item if isinstance(one, Lost) else one[0] for item, one in zip(items, found, strict=True)] == items
    assert [number for number, one in enumerate(found) if isinstance(one, Lost)] == [3, 6]
    assert os.getpid() not in {one[1] for one in found if not isinstance(one, Lost)}
    assert all(re.search(reason, one.reason) for one in found if isinstance(one, Lost))


def test_what_others_ended_is_done_again(tmp_path: Path) -> None:
    assert list(isolated(1)(once, [str(tmp_path / "a"), str(tmp_path / "b")])) == ["read", "read"]


def test_processes_stay_for_the_next_map_and_follow_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = {process for _, process in isolated(1)(where, range(5))}
    assert {process for _, process in isolated(1)(where, range(5))} == first
    monkeypatch.chdir(tmp_path)
    assert list(isolated(1)(os.path.abspath, ["x"])) == [str(tmp_path / "x")]


def test_what_a_function_raises_comes_through() -> None:
    with pytest.raises(TypeError):
        list(isolated(2)(len, [1, 2, 3]))  # type: ignore[arg-type]
    assert list(isolated(2)(abs, [-1, -2, -3])) == [1, 2, 3]  # the next ones work


def test_large_items_and_large_answers() -> None:
    """The pipes hold 64 kB: neither end may wait for the other."""
    items = [np.zeros(200_000, np.uint8)] * 6
    assert [len(found) for found in isolated(2)(bytes, items)] == [200_000] * 6
    assert [int(found.sum()) for found in isolated(2)(large, [300_000] * 6)] == [300_000 * (300_000 % 251)] * 6


def test_a_map_that_is_left_ends() -> None:
    results = isolated(2)(slow, range(10_000))
    assert next(results) == 0
    results.close()
    assert list(isolated(2)(slow, range(100))) == list(range(100))


def test_of_several_files_only_those_are_lost_that_end_their_process() -> None:
    items = [Files((0, "segv", 2, "exit", 4)), Files((5, 6)), Files(("segv",))]
    assert list(isolated(2)(read_all, items)) == [[0, "lost", 2, "lost", 4], [5, 6], ["lost"]]


def test_memory_beyond_what_an_image_is_worth_is_refused_and_not_before() -> None:
    with pytest.raises(MemoryError):
        list(isolated(1)(greedy, [("memory", 0)]))
    assert list(isolated(1)(greedy, [("memory", 2**29)])) == ["1"]  # it is as large itself


def test_computing_for_ever_is_ended() -> None:
    found = list(isolated(2)(Brief(greedy), [("compute", 0), ("memory", 2**29)]))
    assert found[1] == "1"
    assert isinstance(found[0], Lost)
    assert "of computing" in found[0].reason


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts computing by ticks")
def test_computing_is_counted_as_the_system_counts_it() -> None:
    assert list(isolated(1)(reads_with_another_clock, [8.5])) == ["read"]
    [late] = isolated(1)(at_the_limit, [0])
    assert -0.1 < late < 1.0


def test_limits_stay_from_one_small_image_to_the_next_and_no_longer() -> None:
    """What is computed of a large image may take longer and more than its reading."""
    found = list(isolated(1)(between, [[1, 1, 1], [1, 2**26, 1], []]))
    assert found[0] == [True] * 6 + [False]
    assert found[1] == [True, True, True, False, True, True, False]
    assert found[2] == [False]


PARENT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started this with it ignored
from evenray.scale import {name}
from {module} import wait
list({name}(1)(wait, [sys.argv[1]]))  # a script needs no guard for its main part
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("name", ["isolated", "apart"])
def test_a_process_that_computes_ends_with_its_parent(tmp_path: Path, name: str, how: signal.Signals) -> None:
    said, root = tmp_path / "process", Path(__file__).resolve().parents[2]
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(name=name, module="tests.scale.workers"))
    path = os.pathsep.join([str(root), str(root / "src")])
    with subprocess.Popen(
        [sys.executable, str(script), str(said)], env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL
    ) as parent:
        deadline = time.monotonic() + 60
        while not (said.exists() and said.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        worker = int(said.read_text())
        assert runs(worker)
        parent.send_signal(how)
        parent.wait(60)
    while runs(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(worker)


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_shared_with_a_worker_has_its_room_on_the_disk() -> None:
    """A page without it would end this process by SIGBUS at the first look, were the disk full by then."""
    worker = _Worker()
    try:
        assert os.fstat(worker.shared.fileno()).st_blocks > 0
        assert worker.part[:] == bytes(8)
    finally:
        worker.jobs.put(None)
        worker.join()
