"""Too little memory is told in one sentence, whichever library ran out of it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from .conftest import Cli, one_sentence

LOADER = ImportError("libquadmath.so.0: failed to map segment from shared object")


def _because(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        _because(OSError("Could not find/load shared object file 'libllvmlite.so'"), LOADER),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_stage_without_enough_memory(
    cli: Cli, tiny_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("evenray.verbs._line.run_line", fail)
    one_sentence(cli("scan", tiny_archive, "-o", tmp_path / "run"), "There is not enough memory.", 1)


def test_other_errors_are_not_taken_for_it(
    cli: Cli, tiny_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise KeyError("memory")

    monkeypatch.setattr("evenray.verbs._line.run_line", fail)
    with pytest.raises(KeyError):
        cli("scan", tiny_archive, "-o", tmp_path / "run")
