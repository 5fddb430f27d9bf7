"""Several runs on one page: what differs between them, their figures, and on the same cases their paired differences."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from evenray.core.artefacts.scores import Figure as Score
from evenray.core.errors import DataError
from evenray.metrics import roc as roc_points

from .figures.ranking import roc
from .figures.svg import ACCENT, OTHERS, Figure
from .language import Language
from .page import Section, rendered
from .points import thinned
from .sections.metrics import ORDER
from .view import RunView

__all__ = ["apart", "letters", "side_by_side_page"]

SETTINGS = (
    "network",
    "size",
    "epochs",
    "batch",
    "learning_rate",
    "pretrained",
    "finetune",
    "members",
    "design",
    "seed",
)


@dataclass(frozen=True)
class Column:
    """A run by its letter; `why` says why its cases cannot be paired with those of the first, "" where they can."""

    letter: str
    name: str
    why: str
    images: str
    patients: str
    time: str


@dataclass(frozen=True)
class Shown:
    columns: list[Column]
    settings: list[tuple[str, list[str]]]
    metrics: list[tuple[str, list[Score | None]]]
    paired: list[tuple[str, list[dict[str, float | bool | str]]]]
    figures: list[Figure]


def letters(n: int) -> list[str]:
    """Names of runs that tell nothing of their folders.

    >>> letters(3)
    ['A', 'B', 'C']
    """
    return [string.ascii_uppercase[i] if i < 26 else f"A{i - 25}" for i in range(n)]


def apart(first: RunView, other: RunView) -> str:
    """Why two evaluated runs cannot be paired: task, classes, prevalence or cases; "" where they can."""
    for run in (first, other):
        if run.results is None or run.predictions is None:
            raise DataError(f"'{run.path}' is not evaluated yet; 'evenray evaluate {run.path}' does it.")
    assert first.results is not None
    assert other.results is not None
    if first.results.task != other.results.task:
        return "task"
    if (first.classes, first.positive) != (other.classes, other.positive):
        return "classes"
    if first.results.prevalence != other.results.prevalence:
        return "prevalence"
    one, two = (set(run.predictions.part("test").table["case"]) if run.predictions else set() for run in (first, other))
    return "" if one == two and (first.nested is None) == (other.nested is None) else "cases"


def side_by_side_page(
    runs: Sequence[RunView], why: Sequence[str], paired: Mapping[str, pl.DataFrame], *, language: str = "en"
) -> str:
    """The HTML of runs beside each other. `why` has what `apart` says of each; `paired` has by metric the table of
    `compare_runs` of those that can be paired, in their order."""
    say, names = Language(language), letters(len(runs))
    shown = Shown(
        columns=[_column(run, *pair, say) for run, pair in zip(runs, zip(names, why, strict=True), strict=True)],
        settings=_settings(runs, say),
        metrics=_metrics(runs),
        paired=_paired(names, why, paired),
        figures=_figures(runs, names, why, say),
    )
    return rendered(say, ", ".join(names), [Section("side", "report", shown)], "side")


def _column(run: RunView, letter: str, why: str, say: Language) -> Column:
    test = run.test
    seconds = sum(done.seconds for done in run.ledger.stages.values())
    return Column(
        letter, run.name if run.names_files else "", why, say.count(test.cases) if test else "–",
        say.count(test.patients) if test else "–", say.duration(seconds),
    )  # fmt: skip


def _settings(runs: Sequence[RunView], say: Language) -> list[tuple[str, list[str]]]:
    """Contrast and remedy of each run, and whatever else is not the same for all."""
    rows = {name: [getattr(run.model, name) if run.model else None for run in runs] for name in ("contrast", "balance")}
    for name in SETTINGS:
        rows[name] = [_setting(run, name) for run in runs]
    rows["threshold"] = [run.results.threshold_rule if run.results else None for run in runs]
    told = {name: [say.value(value) for value in values] for name, values in rows.items()}
    kept = [name for name, values in told.items() if name in ("contrast", "balance") or len(set(values)) > 1]
    return [(say(f"recipe.{name}"), told[name]) for name in kept]


def _setting(run: RunView, name: str) -> object:
    planned = run.planned.value(name) if run.planned else None
    return getattr(run.recipe, name, None) if planned is None and run.recipe else planned


def _metrics(runs: Sequence[RunView]) -> list[tuple[str, list[Score | None]]]:
    held = [run.test.metrics if run.test else {} for run in runs]
    names = [name for name in ORDER if any(name in each for each in held)]
    return [(name, [each.get(name) for each in held]) for name in names]


def _paired(
    names: Sequence[str], why: Sequence[str], paired: Mapping[str, pl.DataFrame]
) -> list[tuple[str, list[dict[str, float | bool | str]]]]:
    alike = [name for name, reason in zip(names, why, strict=True) if not reason]
    return [
        (metric, [row | {"letter": letter} for letter, row in zip(alike, table.iter_rows(named=True), strict=True)])
        for metric, table in paired.items()
    ]


def _figures(runs: Sequence[RunView], names: Sequence[str], why: Sequence[str], say: Language) -> list[Figure]:
    """The ROC curves over each other of runs that tell the same two classes apart."""
    lines = {}
    for run, name, reason in zip(runs, names, why, strict=True):
        if reason in ("task", "classes"):
            continue
        test = run.predictions.part("test") if run.predictions and run.binary else None
        if test is not None and len(np.unique(test.targets)) == 2:
            curve = roc_points(test, run.positive)
            lines[name] = thinned(curve["false_positive_rate"].to_numpy(), curve["sensitivity"].to_numpy())
    if not lines:
        return []
    colours = {name: (ACCENT, *OTHERS)[i % (len(OTHERS) + 1)] for i, name in enumerate(lines)}
    return [Figure(say("ranking.roc.title"), roc(lines, colours, None, say), say("side.roc"))]
