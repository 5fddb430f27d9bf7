"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from evenray.core.artefacts import atomic, digest, refusal, sweep
from evenray.core.errors import StorageError


def test_a_digest_does_not_count_the_order_of_keys_but_all_else() -> None:
    assert digest({"a": [1, 2], "b": None}) == digest({"b": None, "a": [1, 2]})
    assert len({digest(v) for v in ({"a": [1, 2]}, {"a": [2, 1]}, {"a": "[1, 2]"}, {}, None, "정상")}) == 6


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
