"""Pages, self-contained HTML made from the artefacts of a run folder and never from a model; and every figure."""

from __future__ import annotations

from pathlib import Path

from evenray.core.artefacts import atomic
from evenray.core.run import Run

from .card import write_card
from .language import Language
from .page import BEFORE, SECTIONS, TABLES, fitting, language_of, page
from .view import RunView

__all__ = [
    "KINDS", "audit_page", "compare_page", "ensemble_page", "language_of", "page_of", "report_page", "table7_page",
    "write_card",
]  # fmt: skip

# The pages beside the report, each with its sections.
KINDS = {
    "audit": ("audit", "data"), "compare": ("compare", "data"), "table7": ("table7", "data"),
    "ensemble": ("ensemble", "ranking", "calibration", "threshold", "metrics", "data"),
}  # fmt: skip


def report_page(run: Run, *, language: str = "en") -> str:
    """The HTML of the report of a run; `language` is "en" or "ko".

    Artefacts that are missing leave their sections saying which verb makes them. UsageError for an unknown language.
    """
    return page_of(run, "report", language=language)


def page_of(run: Run, kind: str, *, language: str = "en") -> str:
    """The HTML of the report, or of one of KINDS."""
    made = [name for name, table in TABLES.items() if run.folder.has(table)]
    only = list(KINDS.get(kind, ()))
    if not only:
        for name in SECTIONS:
            only += [*(each for each in made if BEFORE[each] == name), name]
    say = Language(language)
    view = RunView(run.path, nameless=say("data.unlabelled"), together=say("part.all"))
    return page(view, language, fitting(only, view.facts.task), kind)


def audit_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `audit.html`: the data and what the audit found, with thumbnails; returns its path."""
    return _write(run_folder, "audit", language)


def compare_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `compare.html`: the heat map of contrast x balance and its table; returns its path."""
    return _write(run_folder, "compare", language)


def table7_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `table7.html`: Table 7 of the VGG paper for the run's images; returns its path."""
    return _write(run_folder, "table7", language)


def ensemble_page(folder: str | Path, *, language: str = "en") -> Path:
    """Write `ensemble.html`: an ensemble beside its members, and its own curves and scores; returns its path."""
    return _write(folder, "ensemble", language)


def _write(run_folder: str | Path, kind: str, language: str) -> Path:
    run = Run(run_folder)
    path = run.path / f"{kind}.html"
    with atomic(path) as temporary:
        temporary.write_text(page_of(run, kind, language=language), encoding="utf-8")
    return path
