"""Engines: the same results in the same order, whatever computes them and whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenray.core.errors import DataError, MissingExtra, UsageError
from evenray.data.scan import scan
from evenray.data.store import prepare
from evenray.scale import engine

pytest.importorskip("distributed", reason="needs the extra 'scale'")


def once_killed(work: tuple[int, str]) -> int:
    """Notes in a file that it was here; number 5 takes its worker with it the first time."""
    number, folder = work
    with (Path(folder) / f"{number}.txt").open("a") as file:
        file.write("x")
    if number == 5 and not (Path(folder) / "killed").exists():
        (Path(folder) / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number * number


def fatal(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def broken(number: int) -> int:
    raise DataError(f"The number {number} is odd; give another.")


def killing(map: Any, folder: Path) -> Any:
    """A map of which the worker that holds the first item is killed before it answers."""

    def run(function: Any, items: Any) -> Any:
        return map(Slain(function, str(folder / "slain")), items)

    return run


class Slain:
    def __init__(self, function: Any, mark: str) -> None:
        self.function, self.mark = function, mark

    def __call__(self, item: Any) -> Any:
        if not Path(self.mark).exists():
            Path(self.mark).touch()
            self.function(item)  # the work was done, and its answer is lost
            os.kill(os.getpid(), signal.SIGKILL)
        return self.function(item)


@pytest.fixture(scope="module")
def cluster() -> Any:
    with engine("dask", jobs=2) as found:
        yield found.map


def test_a_worker_killed_midway_loses_and_doubles_nothing(cluster: Any, tmp_path: Path) -> None:
    found = list(cluster(once_killed, [(number, str(tmp_path)) for number in range(60)]))
    assert (tmp_path / "killed").exists()
    assert found == [number * number for number in range(60)]
    assert len((tmp_path / "5.txt").read_text()) >= 2  # it was made again


def test_scan_and_store_are_the_same_on_a_cluster_with_a_killed_worker(
    cluster: Any, tiny_archive: Path, tmp_path: Path
) -> None:
    here, there = scan(tiny_archive), scan(tiny_archive, map=killing(cluster, tmp_path))
    assert (tmp_path / "slain").exists()
    assert there.cases.equals(here.cases)
    (tmp_path / "slain").unlink()
    stores = [
        prepare(here, ["none", "equalize"], size=28, channels=1, folder=tmp_path / name, map=map)
        for name, map in (("a", __builtins__["map"]), ("b", killing(cluster, tmp_path)))  # type: ignore[index]
    ]
    assert (tmp_path / "slain").exists()
    rows = np.arange(len(here))
    for contrast in ("none", "equalize"):
        assert np.array_equal(stores[0][contrast][rows], stores[1][contrast][rows])
    files = [sorted(p.relative_to(tmp_path / name).as_posix() for p in (tmp_path / name).rglob("*.*")) for name in "ab"]
    assert files[0] == files[1]


def test_our_own_errors_come_through(cluster: Any) -> None:
    with pytest.raises(DataError, match="The number 7 is odd"):
        list(cluster(broken, [7, 8]))


def test_what_kills_every_worker_ends_with_a_sentence(cluster: Any) -> None:
    with pytest.raises(DataError, match="ended three workers of the cluster"):
        list(cluster(fatal, range(6)))
    assert list(cluster(abs, [-1, -2])) == [1, 2]  # and the cluster lives on


def late(_: int) -> None:
    raise TimeoutError("its own")


def test_a_cluster_whose_workers_are_gone_gets_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where those that die are not replaced: dask alone would wait for ever."""
    from distributed import default_client

    from evenray.scale import cluster

    monkeypatch.setattr(cluster, "LOOK", 0.1)
    monkeypatch.setattr(cluster, "GONE", 0.2)
    with engine("dask", jobs=1) as found:
        assert list(found.map(abs, [-1])) == [1]
        with pytest.raises(TimeoutError, match="its own"):
            list(found.map(late, [1]))
        default_client().retire_workers(close_workers=True)
        assert list(found.map(abs, [-1, -2])) == [1, 2]


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from evenray.scale import cluster

    monkeypatch.setattr(cluster, "WAIT", "0.2 s")
    with (
        pytest.raises(UsageError, match=r"No dask scheduler answers at 'tcp://127.0.0.1:9'"),
        engine("dask", "tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.filterwarnings("ignore")  # of ray's own
def test_ray_where_it_is_installed() -> None:
    pytest.importorskip("ray", reason="ray is not an extra of ours")
    with engine("ray", jobs=2) as found:
        assert list(found.map(abs, range(-40, 0))) == list(range(40, 0, -1))


def test_engines_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from evenray.scale import engines

    with pytest.raises(UsageError, match="did you mean dask"), engine("dusk"):
        pass
    with pytest.raises(UsageError, match="give --engine dask"), engine("local", "tcp://somewhere:1"):
        pass
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"--engine dask needs dask\[distributed\]"), engine("dask"):
        pass
    with pytest.raises(UsageError, match="pip install ray"), engine("ray"):
        pass
