"""Runs that are looked at: read once, and again when their folder has changed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import Request

from evenray.core.artefacts import Ledger
from evenray.core.artefacts.asked import Asked
from evenray.core.names import as_path
from evenray.core.run import Run
from evenray.core.types import Dataset
from evenray.serve.problems import Problem

from .workplace import Workplace

__all__ = ["dataset_of", "inside", "opened", "place_of", "run_of"]

KEPT = 4  # runs; the table of 100,000 cases takes some 100 MB


def place_of(request: Request) -> Workplace:
    """The workplace of the application that is asked."""
    place: Workplace = request.app.state.workplace
    return place


def run_of(request: Request, name: str) -> Run:
    """The run of a name; Problem 404 where there is none."""
    return opened(place_of(request).folder(name))


def dataset_of(request: Request, name: str) -> Dataset:
    """The cases of a run; Problem 409 where they have not been scanned yet."""
    found = run_of(request, name).dataset
    if found is None:
        raise Problem(409, "app.not_scanned")
    return found


def inside(dataset: Dataset, file: str) -> Path:
    """A file of the data; Problem 404 for one that lies elsewhere, whatever a table of cases says, and where it is gone."""
    root, path = Path(dataset.root).resolve(), as_path(Path(dataset.root, file))
    if not path.resolve().is_relative_to(root):
        raise Problem(404, "serve.unknown_path")
    if not path.exists():
        raise Problem(404, "app.image_away")
    return path


def opened(folder: Path) -> Run:
    """The run in a folder as it stands now."""
    return _read(folder, tuple(_changed(folder / name) for name in (Ledger.file, Asked.file)))


@lru_cache(maxsize=KEPT)
def _read(folder: Path, changed: tuple[int, ...]) -> Run:
    return Run(folder)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
