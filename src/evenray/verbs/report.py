"""The page of a run, written anew; and one page that sets several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from evenray.core.artefacts import RunFolder, atomic
from evenray.core.artefacts.asked import Asked
from evenray.core.errors import UsageError
from evenray.core.events import Listener
from evenray.core.recipe import ReportSettings
from evenray.evidence.compare.runs import compare_runs
from evenray.learning.tasks import task_of
from evenray.reporting.side_by_side import apart, side_by_side_page
from evenray.reporting.view import RunView
from evenray.stages.up_to_date import require_up_to_date

from .run import Target, run

__all__ = ["report"]

PAGE = "side-by-side.html"
METRICS = 2  # figures of a task's comparison whose differences are told


def report(
    target: Target | Sequence[str | Path], output: str | Path | None = None, *, listener: Listener | None = None,
    **settings: Any,
) -> Path:  # fmt: skip
    """Write report.html and return its path; stages that are missing or out of date are done first. See `run`.

    Several run folders are set side by side on one page, which goes to the file `output`, by default side-by-side.html here;
    nothing is done in them, and `lang` is the only setting. Where they were tested on the same cases, the page has their
    paired differences to the first; else it says why not. UsageError where a run is named twice, DataError where one is not
    evaluated or out of date.
    """
    if isinstance(target, Sequence) and not isinstance(target, str):
        if len(target) > 1:
            return _side_by_side([Path(each) for each in target], Path(output or PAGE), settings)
        (target,) = target
    done = run(target, None, output, until="report", listener=listener, **settings)
    assert done.report is not None
    return done.report


def _side_by_side(folders: Sequence[Path], page: Path, settings: dict[str, Any]) -> Path:
    if other := set(settings) - set(ReportSettings.model_fields):
        raise UsageError(f"{', '.join(sorted(other))} cannot be set for several runs; only lang can.")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("A run is named twice; give each run folder once.")
    if page.is_dir():
        raise UsageError(f"'{page}' is a folder; give the file that the page goes to, such as '{page / PAGE}'.")
    language = ReportSettings(**settings).lang
    runs = [RunView(folder) for folder in folders]
    why = [apart(runs[0], each) for each in runs]
    for folder in map(RunFolder, folders):
        if folder.has(Asked.file):  # an ensemble has none
            require_up_to_date(folder)
    alike = [folder for folder, reason in zip(folders, why, strict=True) if not reason]
    paired: dict[str, pl.DataFrame] = {}
    if len(alike) > 1:
        for metric in task_of(runs[0].facts.task).compared[:METRICS]:
            paired[metric] = compare_runs(alike, metric).table
    text = side_by_side_page(runs, why, paired, language=language)
    with atomic(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return page
