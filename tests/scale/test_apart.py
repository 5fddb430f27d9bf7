"""Processes for what has to have one for itself: order, a killed worker, and an end with the parent, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evenray.core.errors import WorkerError
from evenray.scale import apart


def fatal(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def where(number: int) -> tuple[int, int]:
    return number, os.getpid()


def test_nothing_runs_in_this_process_and_results_are_in_order() -> None:
    for jobs in (1, 2):
        found = list(apart(jobs)(where, list(range(12))))
        assert [number for number, _ in found] == list(range(12))
        assert os.getpid() not in {process for _, process in found}


def threads(_: int) -> tuple[int, str]:
    import torch

    return torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]


def test_each_computes_with_one_thread() -> None:
    assert set(apart(2)(threads, [0, 1])) == {(1, "1")}


def test_a_process_that_is_killed_is_told() -> None:
    with pytest.raises(WorkerError, match=r"One of 2 processes has died; .* --jobs 1, and run the same command again"):
        list(apart(2)(fatal, list(range(8))))


def test_what_a_function_raises_comes_through() -> None:
    with pytest.raises(TypeError):
        list(apart(2)(len, [1, 2, 3]))  # type: ignore[arg-type]


def wait(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


PARENT = """
import sys
from evenray.scale import apart
from tests.scale.test_apart import wait
list(apart(1)(wait, [sys.argv[1]]))  # a script needs no guard for its main part
"""


def test_a_worker_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    said, root = tmp_path / "process", Path(__file__).resolve().parents[2]
    (tmp_path / "parent.py").write_text(PARENT)
    path = os.pathsep.join([str(root), str(root / "src")])
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), str(said)], env={**os.environ, "PYTHONPATH": path}
    )
    deadline = time.monotonic() + 60
    while not (said.exists() and said.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    worker = int(said.read_text())
    parent.kill()
    parent.wait()
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        if "Z" in Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0]:
            break
        time.sleep(0.1)
    else:
        assert not Path(f"/proc/{worker}").exists()
