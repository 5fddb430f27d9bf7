"""The report: one self-contained HTML page made from the artefacts of a run folder, and never from a model."""

from __future__ import annotations

from pathlib import Path

from evenray.core.artefacts import atomic

from .card import write_card
from .folder import Run
from .language import Language
from .layers import layers_page
from .page import ASIDE, SECTIONS, page

__all__ = ["audit_page", "compare_page", "ensemble_page", "layers_page", "table7_page", "write", "write_card"]


def write(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `report.html` into a run folder and return its path; `language` is "en" or "ko".

    Artefacts that are missing leave their sections saying which verb makes them. Raises DataError where the folder
    does not exist, UsageError for an unknown language.

    >>> write("no-such-run")
    Traceback (most recent call last):
    ...
    evenray.core.errors.DataError: There is no run folder no-such-run; give the folder that 'evenray run' made.
    """
    made = [name for name in ASIDE if (Path(run_folder) / f"{name}.parquet").exists()]
    last = list(SECTIONS).index("limits")
    return _write(run_folder, "report", language, (*list(SECTIONS)[:last], *made, *list(SECTIONS)[last:]))


def audit_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `audit.html`: the data and what the audit found, with thumbnails; returns its path."""
    return _write(run_folder, "audit", language, ("audit", "data"))


def compare_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `compare.html`: the heat map of contrast x balance and its table; returns its path."""
    return _write(run_folder, "compare", language, ("compare", "data"))


def table7_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `table7.html`: Table 7 of the VGG paper for the run's images; returns its path."""
    return _write(run_folder, "table7", language, ("table7", "data"))


def ensemble_page(folder: str | Path, *, language: str = "en") -> Path:
    """Write `ensemble.html`: an ensemble beside its members, and its own curves and scores; returns its path."""
    return _write(folder, "ensemble", language, ("ensemble", "ranking", "calibration", "threshold", "metrics", "data"))


def _write(run_folder: str | Path, kind: str, language: str, only: tuple[str, ...]) -> Path:
    run = Run(run_folder, nameless=Language(language)("data.unlabelled"))
    text = page(run, language, only, kind)
    path = run.folder / f"{kind}.html"
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
