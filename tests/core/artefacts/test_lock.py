"""Two runs in one folder: the second is refused, a dead one is no hindrance."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from evenray.core.artefacts.lock import LOCK, SILENCE, InUse, alone, hand, worker
from evenray.core.errors import DataError

HOLD = """
import sys
from pathlib import Path
from evenray.core.artefacts.lock import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that works in tmp_path / "run"."""
    words = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_told_who_works_there(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    said = f"run is in use: process {other.pid} on {platform.node()}.*with -o"
    with pytest.raises(DataError, match=said), alone(tmp_path / "run"):
        pass
    assert (tmp_path / "run" / LOCK).read_text().startswith(f"{other.pid} ")
    with alone(tmp_path / "another"):
        pass


def test_a_killed_one_is_taken_over(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    assert (tmp_path / "run" / LOCK).exists()
    with alone(tmp_path / "run"):
        assert (tmp_path / "run" / LOCK).read_text().startswith(f"{os.getpid()} ")


def test_a_killed_one_whose_parent_has_not_asked_is_taken_over(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # it has ended and is left unreaped
    with alone(tmp_path / "run"):
        assert (tmp_path / "run" / LOCK).read_text().startswith(f"{os.getpid()} ")


def test_a_number_that_another_process_has_by_now_is_no_lock(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    (tmp_path / LOCK).write_text(f"{other.pid} {platform.node()} 1")
    with alone(tmp_path):
        pass


@pytest.mark.parametrize(("silent", "refused"), [(0, True), (SILENCE + 1, False)])
def test_another_machine_is_believed_while_it_gives_signs_of_life(tmp_path: Path, silent: float, refused: bool) -> None:
    lock = tmp_path / LOCK
    lock.write_text("17 elsewhere 1")
    before = lock.stat().st_mtime - silent
    os.utime(lock, (before, before))
    if refused:
        with pytest.raises(DataError, match=r"process 17 on elsewhere.*if it is gone, remove"), alone(tmp_path):
            pass
    else:
        with alone(tmp_path):
            pass


def test_of_many_at_once_one_gets_it(tmp_path: Path) -> None:
    """All find the same stale lock; each that gets it waits until every other has tried."""
    (tmp_path / LOCK).write_text("4194303 elsewhere 1")
    os.utime(tmp_path / LOCK, (1, 1))
    start, end = Barrier(8), Barrier(8)

    def attempt(_: int) -> bool:
        start.wait()
        try:
            with alone(tmp_path):
                end.wait()
                return True
        except DataError:
            end.wait()
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), alone(tmp_path / "run"):
        raise ValueError("mine")
    assert not (tmp_path / "run").exists()
    (tmp_path / "kept").mkdir()
    with alone(tmp_path / "kept"):
        pass
    assert list((tmp_path / "kept").iterdir()) == []


def test_damage_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_bytes(b"")
    with alone(tmp_path):
        pass


def test_later_ranks_of_a_distributed_run_share_the_lock_of_the_first(
    tmp_path: Path, other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with alone(tmp_path / "run"):
        pass
    assert other.poll() is None
    assert (tmp_path / "run" / LOCK).exists()


TAKE = HOLD.replace("with alone", "sys.stdin.readline()\nwith alone")


def test_a_folder_is_held_for_a_process_that_has_not_come_to_it_yet(tmp_path: Path) -> None:
    begun = list[subprocess.Popen[str]]()

    def start() -> int:
        words = [sys.executable, "-c", TAKE, str(tmp_path)]
        begun.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return begun[-1].pid

    hand(tmp_path, start)
    with begun[0] as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert worker(tmp_path) == process.pid
        with pytest.raises(InUse, match=f"process {process.pid} "):
            hand(tmp_path, start)
        with pytest.raises(InUse), alone(tmp_path):
            pass
        assert len(begun) == 1  # the second was not even started
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "held\n"  # the one that it was handed to may work
        assert worker(tmp_path) == process.pid
        with pytest.raises(InUse):
            hand(tmp_path, start)
        process.stdin.close()
        process.wait()
    assert worker(tmp_path) is None
    assert not (tmp_path / LOCK).exists()


def test_of_many_that_hand_the_folder_over_at_once_one_does(tmp_path: Path) -> None:
    count, begun, together = 8, list[subprocess.Popen[bytes]](), Barrier(8)

    def start() -> int:
        begun.append(subprocess.Popen(["sleep", "60"]))
        return begun[-1].pid

    def one(_: int) -> bool:
        together.wait()
        try:
            hand(tmp_path, start)
        except InUse:
            return False
        return True

    with ThreadPoolExecutor(count) as threads:
        assert sum(threads.map(one, range(count))) == 1
    [process] = begun
    assert worker(tmp_path) == process.pid
    process.kill()
    process.wait()
