"""Pages, self-contained HTML made from the artefacts of a run folder and never from a model; and every figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from evenray.core.artefacts import atomic
from evenray.core.artefacts.explained import Attribution
from evenray.core.run import Run

from .card import write_card
from .language import Language
from .page import BEFORE, SECTIONS, TABLES, Section, fitting, language_of, page, rendered
from .sections import errors
from .view import RunView

__all__ = [
    "KINDS", "audit_page", "compare_page", "ensemble_page", "errors_page", "external_page", "language_of", "page_of",
    "report_page", "robustness_page", "table7_page", "write_card",
]  # fmt: skip

# The pages beside the report, each with its sections.
KINDS = {
    "audit": ("audit", "data"), "compare": ("compare", "data"), "table7": ("table7", "data"), "robustness": ("robustness", "data"),
    "ensemble": ("ensemble", "ranking", "calibration", "threshold", "metrics", "data"),
    "external": ("external", "ranking", "calibration", "threshold", "metrics", "practice", "data"),
}  # fmt: skip


def report_page(run: Run, *, language: str = "en") -> str:
    """The HTML of the report of a run; `language` is "en" or "ko".

    Artefacts that are missing leave their sections saying which verb makes them. UsageError for an unknown language.
    """
    return page_of(run, "report", language=language)


def page_of(run: Run, kind: str, *, language: str = "en") -> str:
    """The HTML of the report, or of one of KINDS."""
    made = [name for name, file in TABLES.items() if any(run.path.glob(file))]
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


def errors_page(
    run_folder: str | Path, entries: Mapping[str, Sequence[Attribution]], counts: Mapping[str, int],
    pictures: Mapping[str, bytes], *, language: str = "en",
) -> Path:  # fmt: skip
    """Write `errors.html`: false negatives and false positives with their maps; returns its path."""
    say, view = Language(language), RunView(run_folder)
    with TemporaryDirectory() as place:
        for name, content in pictures.items():
            (Path(place) / name).write_bytes(content)
        section = Section("errors", "explain", errors.shown(view, entries, counts, Path(place), say))
    path = view.path / "errors.html"
    with atomic(path) as temporary:
        temporary.write_text(rendered(say, view.title, [section], "errors", view), encoding="utf-8")
    return path


def compare_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `compare.html`: the heat map of contrast x balance and its table; returns its path."""
    return _write(run_folder, "compare", language)


def robustness_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `robustness.html`: the figures under corruptions, with the run's contrast and without; returns its path."""
    return _write(run_folder, "robustness", language)


def table7_page(run_folder: str | Path, *, language: str = "en") -> Path:
    """Write `table7.html`: Table 7 of the VGG paper for the run's images; returns its path."""
    return _write(run_folder, "table7", language)


def ensemble_page(folder: str | Path, *, language: str = "en") -> Path:
    """Write `ensemble.html`: an ensemble beside its members, and its own curves and scores; returns its path."""
    return _write(folder, "ensemble", language)


def external_page(folder: str | Path, *, language: str = "en") -> Path:
    """Write `external.html` in the folder of an external test: everything that is told of it; returns its path."""
    return _write(folder, "external", language)


def _write(run_folder: str | Path, kind: str, language: str) -> Path:
    run = Run(run_folder)
    path = run.path / f"{kind}.html"
    with atomic(path) as temporary:
        temporary.write_text(page_of(run, kind, language=language), encoding="utf-8")
    return path
