"""Enhanced copies of the images that the workbench was given: a process of `evenray enhance`, which outlives the server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from evenray.core.names import printable
from evenray.core.types import Image
from evenray.images.contrast import enhance, without_files
from evenray.serve.problems import Problem

from ..jobs import PROGRAM, State
from ..opened import opened
from ..workplace import Workplace

__all__ = ["Copies", "begin", "source_of", "state_of"]

LOG, SHEET, ENDING = "enhance.log", "sheet.html", "-enhanced"
_started: dict[Path, subprocess.Popen[bytes]] = {}


class Copies(BaseModel):
    """Copies in a folder beside the runs: how things stand, how many are written, and what went wrong."""

    name: str
    state: State
    written: int
    error: str = ""


def source_of(place: Workplace) -> Path | None:
    """The images that copies are made of: those of the run that was opened, or that the workbench was given; None where these are
    named by a table, which says nothing of where copies would go."""
    source = place.data
    if place.opened and (asked := opened(place.folder(place.opened)).asked) is not None:
        source = Path(opened(place.folder(place.opened)).ledger.from_here(asked.data) or asked.data).resolve()
    return source if source is not None and (source.is_dir() or source.suffix == ".npz") else None


def begin(place: Workplace, spec: str) -> Copies:
    """Start; UsageError for a spec that is unknown or names a file, Problem 404 where there is nothing to copy."""
    source = source_of(place)
    if source is None:
        raise Problem(404, "serve.unknown_path")
    with without_files():
        enhance(Image(np.arange(64, dtype=np.uint8).reshape(8, 8), (0, 255)), spec)
    target = place.new_folder(f"{source.stem if source.is_file() else source.name}{ENDING}")
    target.mkdir()
    command = [sys.executable, "-c", PROGRAM, "enhance", str(source), f"--method={spec}", f"--output={target}"]
    with (target / LOG).open("wb") as log:
        _started[target] = subprocess.Popen(
            command, cwd=place.runs, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True,
        )  # fmt: skip
    return state_of(place, target.name)


def state_of(place: Workplace, name: str) -> Copies:
    """How the copies in a folder stand, from the folder but for whether their process lives. Problem 404 where there is none."""
    target = place.runs / name
    if ENDING not in name or Path(name).name != name or not (target / LOG).is_file() or target.is_symlink():
        raise Problem(404, "serve.unknown_path")
    written = sum(1 for path in target.rglob("*") if path.is_file() and path.name not in (LOG, SHEET))
    process = _started.get(target)
    if process is not None and process.poll() is None:
        return Copies(name=name, state="running", written=written)
    if (target / SHEET).is_file():
        return Copies(name=name, state="done", written=written)
    told = (target / LOG).read_text(encoding="utf-8", errors="replace").strip()
    return Copies(name=name, state="failed" if told else "stopped", written=written, error=printable(told[-400:]))
