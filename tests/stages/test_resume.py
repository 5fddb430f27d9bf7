"""A run that was stopped in any stage goes on to the same bytes."""

from __future__ import annotations

import errno
import importlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evenray.core.errors import DataError, StorageError

from .conftest import STAGES, Heard

Go = Callable[..., Heard]

# Stage: the module and name of something in the middle of its work, and how often it works before the kill.
MIDDLES = {
    "scan": ("evenray.data.scan.scanning", "describe_image", 40),
    "audit": ("evenray.stages.audit", "check_all", 0),
    "split": ("evenray.stages.split", "divide", 0),
    "plan": ("evenray.stages.plan", "planned", 0),
    "compare": ("evenray.evidence.compare._cells", "fit", 3),
    "train": ("evenray.learning.train.loop", "validate", 1),
    "evaluate": ("evenray.learning.tasks.scores", "score", 1),
    "explain": ("evenray.stages.attributing", "attribute", 1),
    "report": ("evenray.stages.report", "report_page", 0),
}


class Killed(BaseException):
    """As sudden as a signal: no code of ours catches it."""


@contextmanager
def killed_in(module: str, name: str, works: int) -> Iterator[None]:
    """What has this name works so often, and is then killed."""
    calls = iter(range(works))
    with pytest.MonkeyPatch.context() as patch:
        original = getattr(importlib.import_module(module), name)

        def work(*args: Any, **options: Any) -> Any:
            if next(calls, None) is None:
                raise Killed
            return original(*args, **options)

        patch.setattr(sys.modules[module], name, work)
        with pytest.raises(Killed):
            yield


def test_stopped_in_every_stage_it_ends_with_the_same_predictions(finished_run: Path, tmp_path: Path, go: Go) -> None:
    run = tmp_path / "run"
    for number, stage in enumerate(STAGES):
        with killed_in(*MIDDLES[stage]):
            go(run, "report")
        assert not list(run.rglob("*.tmp"))
        assert list(go(run, "report" if stage == "report" else stage).done) == [stage], STAGES[number]
    for name in (
        "predictions.parquet",
        "model.safetensors",
        "scores.json",
        "attributions/index.json",
        "contrast/index.json",
    ):
        assert (run / name).read_bytes() == (finished_run / name).read_bytes(), name


def test_stopped_between_two_networks_that_are_averaged_only_the_second_is_trained(
    copied: Path, tmp_path: Path, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"epochs": 1}  # of two networks
    run = Path(shutil.copytree(copied, tmp_path / "run"))
    go(copied, "train", **asked)
    with killed_in("evenray.stages.train", "_learn_member", 1):
        go(run, "train", **asked)
    loop = importlib.import_module("evenray.learning.train.loop")
    validate, epochs = loop.validate, list[int]()
    monkeypatch.setattr(loop, "validate", lambda *args, **options: epochs.append(1) or validate(*args, **options))
    assert go(run, "train", **asked).done == ["train"]
    history = pl.read_csv(run / "history.csv")
    assert len(epochs) == len(history.filter(pl.col("member") == 2)) > 0
    assert set(history["member"]) == {1, 2}
    assert (run / "model.safetensors").read_bytes() == (copied / "model.safetensors").read_bytes()


def test_the_same_recipe_twice_gives_the_same_bytes_in_another_folder(
    finished_run: Path, tmp_path: Path, go: Go
) -> None:
    go(tmp_path / "twice", "evaluate")
    for name in (
        "cases.parquet",
        "split.parquet",
        "findings.parquet",
        "predictions.parquet",
        "scores.json",
        "model.safetensors",
    ):
        assert (tmp_path / "twice" / name).read_bytes() == (finished_run / name).read_bytes(), name


def test_another_seed_gives_another_model(finished_run: Path, copied: Path, go: Go) -> None:
    go(copied, "evaluate", seed=1)
    assert (copied / "predictions.parquet").read_bytes() != (finished_run / "predictions.parquet").read_bytes()


KILL = """
import os, signal, sys
import evenray.learning.train.checkpoint as checkpoint
from evenray.core.artefacts import RunFolder
from evenray.core.recipe import Recipe
from evenray.stages.line import Job, run
import torch

torch.set_num_threads(1)
write = checkpoint._write
def kill(folder, *args):
    write(folder, *args)
    (folder / f".best.pt.{os.getpid()}.tmp").touch()
    os.kill(os.getpid(), signal.SIGKILL)
checkpoint._write = kill
run(Job(RunFolder(sys.argv[1]), sys.argv[2], Recipe(**eval(sys.argv[3]))), "train")
"""


def test_kill_9_after_an_epoch(
    finished_run: Path, tmp_path: Path, tiny_archive: Path, tiny_recipe: dict[str, Any], go: Go
) -> None:
    run = tmp_path / "run"
    words = [sys.executable, "-c", KILL, str(run), str(tiny_archive), repr(tiny_recipe)]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    assert list(run.rglob("*.tmp"))
    assert go(run, "evaluate").done == ["train", "evaluate"]
    assert not list(run.rglob("*.tmp"))
    assert (run / "predictions.parquet").read_bytes() == (finished_run / "predictions.parquet").read_bytes()


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A disk that is full after `size` bytes of each file, for whoever writes, in Python or below it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("until", "size", "refused"),
    [("scan", 100, "recipe.json"), ("scan", 20_000, "histogram.npy"), ("compare", 60_000, "000000.npy"),
     ("train", 95_000, "last.pt"), ("report", 103_000, "report.html")],
)  # fmt: skip
def test_a_full_disk_leaves_nothing_half_written_and_the_run_goes_on(
    finished_run: Path, copied: Path, go: Go, tmp_path: Path, until: str, size: int, refused: str
) -> None:
    run = copied if until in ("train", "report") else tmp_path / "run"
    change = {"train": {"balance": "weighted"}, "report": {"lang": "ko"}}.get(until, {})
    if until == "compare":
        go(run, "split")
    if until == "train":
        go(run, "compare", **change)
    before = (run / refused).read_bytes() if (run / refused).exists() else None
    with (
        files_no_larger_than(size),
        pytest.raises(
            StorageError, match=rf"Cannot write .*{refused}: .*; (make room, or )?choose another place"
        ) as told,
    ):
        go(run, until, **change)
    assert told.value.exit_code == 1
    assert not list(tmp_path.rglob("*.tmp"))
    assert ((run / refused).read_bytes() if (run / refused).exists() else None) == before
    if until in ("scan", "compare"):
        go(run, until)
        assert (run / "cases.parquet").read_bytes() == (finished_run / "cases.parquet").read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_every_file_leaves_no_folder(
    tmp_path: Path, go: Go, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(self: Path, *args: Any, **options: Any) -> Any:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(StorageError, match=os.strerror(number).lower()):
        go(tmp_path / "run", "scan")
    assert not any((tmp_path / "run").iterdir()) if (tmp_path / "run").exists() else True


@pytest.mark.parametrize("stage", ["split", "train", "report"])
def test_a_folder_that_is_moved_while_a_stage_works_is_whole_at_its_new_place(
    copied: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """No ledger of this stage alone stands at the old place, which would be taken for the run."""
    module, name, _ = MIDDLES[stage]
    original, before = getattr(importlib.import_module(module), name), (copied / "provenance.json").read_bytes()
    change: dict[str, Any] = {"split": {"seed": 5}, "train": {"epochs": 1}, "report": {"lang": "ko"}}[stage]

    def move(*args: Any, **options: Any) -> Any:
        if copied.exists():
            copied.rename(tmp_path / "moved")
        return original(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[module], name, move)
        with pytest.raises(
            DataError, match=r"copied was moved or removed while evenray worked in it\. Run the same command"
        ):
            go(copied, stage, **change)
    assert not (copied / "provenance.json").exists()
    assert len((tmp_path / "moved" / "provenance.json").read_bytes()) >= len(before) // 2
    (
        tmp_path / "moved" / ".lock"
    ).unlink()  # as good as gone when its process, which here is that of the test, has ended
    assert stage in go(tmp_path / "moved", stage, **change).done
