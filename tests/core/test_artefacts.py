"""The run folder: artefacts whole or not at all, and a ledger that knows what is done."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evenray.core.artefacts import RunFolder, atomic, digest, refusal, sweep
from evenray.core.errors import DataError, StorageError

TABLE = pl.DataFrame({"case": ["a", "b"], "n": [1, None]})


def test_a_digest_does_not_count_the_order_of_keys_but_all_else() -> None:
    assert digest({"a": [1, 2], "b": None}) == digest({"b": None, "a": [1, 2]})
    assert len({digest(v) for v in ({"a": [1, 2]}, {"a": [2, 1]}, {"a": "[1, 2]"}, {}, None, "정상")}) == 6


@pytest.mark.parametrize("name", ["cases.parquet", "rejected.csv"])
def test_tables_come_back(tmp_path: Path, name: str) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_table(name, TABLE)
    assert run.read_table(name).equals(TABLE)


def test_json_comes_back_with_its_letters(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_json("a/b.json", {"정상": [1, None]})
    assert run.read_json("a/b.json") == {"정상": [1, None]}
    assert "정상" in (tmp_path / "a/b.json").read_text(encoding="utf-8")


def test_what_is_missing_names_the_verb_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no scores\.json yet; 'evenray evaluate' makes it"):
        RunFolder(tmp_path).read_json("scores.json")


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_what_fails_leaves_the_former_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.txt"
    path.write_text("former")
    with pytest.raises(type(error)):
        fail_half_way(path, error)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "former"


def fail_half_way(path: Path, error: BaseException) -> None:
    with atomic(path) as temporary:
        temporary.write_text("half")
        raise error


def full(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    "error",
    [full(errno.ENOSPC), full(errno.EDQUOT), full(errno.EROFS), full(errno.EACCES), OSError("10000 requested and 12 written"),
     RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),
     pl.exceptions.ComputeError("parquet: underlying IO error: No space left on device (os error 28)")],
)  # fmt: skip
def test_a_full_disk_is_one_sentence(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(StorageError, match=r"Cannot write .*a\.txt: .*; (make room, or )?choose another place") as told:
        fail_half_way(tmp_path / "a.txt", error)
    assert told.value.exit_code == 1
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(StorageError, match=r"Cannot write .*(file exists|not a directory)"),
        atomic(tmp_path / "file" / "a.txt"),
    ):
        pass


def test_other_errors_are_no_refusals() -> None:
    assert refusal(FileNotFoundError(errno.ENOENT, "x")) is None
    assert refusal(ValueError("position 5 requested")) is None


LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np, polars as pl, torch
from safetensors.torch import save_file
from evenray.core.artefacts import atomic
from evenray.core.errors import StorageError

def array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(10000))

tensors = {"a": torch.zeros(10000)}
table = pl.DataFrame({"a": np.random.default_rng(0).random(10000)})
writers = [table.write_parquet, table.write_csv, array, lambda p: torch.save(tensors, p), lambda p: save_file(tensors, p),
           lambda p: p.write_bytes(bytes(10000))]
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # files of more than 1000 bytes are cut off, as by a full disk
for number, write in enumerate(writers):
    try:
        with atomic(Path(sys.argv[1]) / str(number)) as path:
            write(path)
    except StorageError:
        print(number)
"""


def test_every_writer_meets_the_end_of_the_disk_with_the_same_error(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["0", "1", "2", "3", "4", "5"], done.stderr
    assert not list(tmp_path.iterdir())


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "store").mkdir()
    for name in (f".a.npy.{gone.pid}.tmp", f".b.npy.{os.getpid()}.tmp", "c.tmp", ".d.tmp"):
        (tmp_path / "store" / name).touch()
    sweep(tmp_path)
    assert sorted(p.name for p in (tmp_path / "store").iterdir()) == [f".b.npy.{os.getpid()}.tmp", ".d.tmp", "c.tmp"]


class TestLedger:
    @pytest.fixture
    def run(self, tmp_path: Path) -> RunFolder:
        run = RunFolder(tmp_path)
        run.write_json("dataset.json", {"classes": ["a", "b"]})
        run.finish("scan", "key", ["dataset.json"], 1.234)
        return run

    def test_a_finished_stage_is_fresh_for_its_key_only(self, run: RunFolder) -> None:
        assert run.fresh("scan", "key")
        assert not run.fresh("scan", "another")
        assert not run.fresh("audit", "key")

    @pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("{}")])
    def test_an_output_that_changed_makes_it_stale(self, run: RunFolder, change: Any) -> None:
        change(run / "dataset.json")
        assert not run.fresh("scan", "key")
        assert not run.intact("scan")

    def test_later_stages_depend_on_the_bytes_of_the_outputs(self, run: RunFolder) -> None:
        before = run.stamp("scan")
        run.finish("scan", "another", ["dataset.json"], 9)
        assert run.stamp("scan") == before
        run.write_json("dataset.json", {})
        run.finish("scan", "another", ["dataset.json"], 9)
        assert run.stamp("scan") != before

    def test_notes_are_kept_beside_the_stages(self, run: RunFolder) -> None:
        run.note(lambda ledger: ledger.setdefault("test_opened", []).append("now"))
        assert run.ledger["test_opened"] == ["now"]
        assert run.fresh("scan", "key")
