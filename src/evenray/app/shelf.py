"""The runs of a workplace: listed, begun, compared, put aside and put back."""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel

from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import DatasetRecord
from evenray.core.errors import EvenrayError, UsageError
from evenray.core.numbers import probability
from evenray.core.recipe import Recipe
from evenray.core.run import Run
from evenray.core.settings import declared
from evenray.core.spec import paths_in
from evenray.evidence.compare.runs import RunComparison
from evenray.learning.tasks import task_of
from evenray.reporting.language import Language
from evenray.serve.problems import Problem

from .helpers import without_path
from .jobs import State, error_of, state_of
from .opened import opened
from .recipes import recipe_of
from .workplace import Workplace

__all__ = [
    "Beginning", "Compared", "Given", "RunCard", "begin", "card_of", "compared", "data_of", "delete", "deleted", "restore",
]  # fmt: skip

ASIDE = ".deleted"
DAYS = 30  # that a deleted run can be put back


class Given(BaseModel):
    """Images that a run can be made of: those of a run (`run`), or those that the workbench was opened with."""

    run: str | None
    name: str
    images: int | None


class Beginning(BaseModel):
    """A run to begin: on the data of a run, or of the workbench; `settings` as they were typed."""

    like: str | None
    name: str
    settings: dict[str, str]


class Figure(BaseModel):
    name: str
    text: str
    value: float | None
    low: float | None
    high: float | None
    baseline: float | None


class RunCard(BaseModel):
    """A run in the list."""

    name: str
    state: State
    error: str
    begun: str
    data: str
    task: str
    classes: tuple[str, ...]
    images: int | None
    chosen: dict[str, str]
    figure: Figure | None
    report: bool


class Row(BaseModel):
    """A run compared: what it reached, and its difference to the first with the p of so many comparisons."""

    run: str
    value: str
    difference: str
    low: float | None
    gap: float | None
    high: float | None
    p: str
    tied: bool


class Compared(BaseModel):
    metric: str
    part: str
    rows: list[Row]


def card_of(folder: Path, say: Language) -> RunCard:
    """What the list tells of a run; of one that cannot be read, why."""
    state, error = state_of(folder), ""
    plain: dict[str, Any] = {"name": folder.name, "begun": "", "data": "", "task": "", "classes": (), "images": None}
    plain |= {"chosen": {}, "figure": None, "report": False}
    try:
        run = opened(folder)
        if run.asked is not None:
            plain["data"] = Path(run.asked.data.rstrip("/")).name
        plain["begun"] = run.ledger.started
        if run.folder.has(DatasetRecord.file):
            about = DatasetRecord.read(run.path)
            plain |= {"task": about.facts.task, "classes": about.classes, "images": _images(run)}
        if run.choice is not None:
            plain["chosen"] = {
                name: run.asked.told(value) if run.asked else value for name, value in run.choice.named.items()
            }
        plain |= {"figure": _figure(run, say), "report": run.report is not None}
        error = say.reason(error_of(folder)) if state == "failed" else ""
    except EvenrayError as problem:
        error = say.reason(without_path(problem, folder))
    return RunCard(state=state, error=error, **plain)


def _figure(run: Run, say: Language) -> Figure | None:
    """What the run is ranked by, of its test part, and otherwise of its validation part."""
    results = run.results
    if results is None or not results.parts:
        return None
    part = "test" if "test" in results.parts else next(iter(results.parts))
    metrics = results.parts[part].metrics
    name = next((name for name in ("auroc", *task_of(results.task).compared) if name in metrics), None)
    if name is None:
        return None
    found = metrics[name]
    text = f"{say.name('metric', name)} {say.number(found.value)} ({say.interval(found.low, found.high)})"
    return Figure(name=name, text=text, **{key: _plain(value) for key, value in found.model_dump().items()})


def _plain(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def data_of(place: Workplace) -> list[Given]:
    """What a new run can be made of: each data set once."""
    found = [] if place.data is None else [Given(run=None, name=place.data.name, images=None)]
    seen: set[str] = {str(place.data)}
    for name in place.names:
        try:
            run = opened(place.folder(name))
            data = "" if run.asked is None else str(run.ledger.from_here(run.asked.data))
        except EvenrayError:
            continue
        if data and data not in seen:
            seen.add(data)
            found.append(Given(run=name, name=Path(data.rstrip("/")).name, images=_images(run)))
    return found


def _images(run: Run) -> int | None:
    """How many cases a run has, its table not read."""
    path = run.path / "cases.parquet"
    return int(pl.scan_parquet(path).select(pl.len()).collect().item()) if path.is_file() else None


def begin(place: Workplace, asked: Beginning) -> Path:
    """The folder of a new run with its recipe. UsageError for a mistake in the recipe, and for a path outside of the data."""
    name = asked.name.strip()
    if (
        not name
        or name.startswith(".")
        or not name.isprintable()
        or set(name) & set('/\\:*?"<>|')
        or len(name.encode()) > 120
    ):
        raise UsageError(f"The run cannot be called '{name}'; give a name without / and the like.")
    if asked.like is None:
        if place.data is None:
            raise Problem(404, "serve.unknown_path")
        base, data = None, place.data
    else:
        run = opened(place.folder(asked.like))
        base = run.recipe
        data = Path(str(run.ledger.from_here(run.asked.data))) if run.asked else Path()
    recipe = _within(recipe_of(asked.settings, base), base, data, place)
    folder = place.new_folder(name)
    folder.mkdir(parents=True)
    Asked(str(data), recipe).write(folder)
    return folder


def _within(recipe: Recipe, base: Recipe | None, data: Path, place: Workplace) -> Recipe:
    """The recipe with the files that it names as whole paths; UsageError for one that is neither below the data or the folder of
    runs, nor named by the recipe that this one is like."""
    changes: dict[str, str] = {}
    for name, about in declared(Recipe).items():
        value = getattr(recipe, name)
        if about.content not in ("file", "input") or not value or (base is not None and getattr(base, name) == value):
            continue
        plain = not any(mark in value for mark in "./\\:")  # a name of trained weights is no path
        if not (plain and about.content == "file"):
            changes[name] = _below(name, value, data, place)
    for spec in recipe.contrasts:
        for path in paths_in(spec):
            if base is None or path not in {each for own in base.contrasts for each in paths_in(own)}:
                _below("contrast", path, data, place)
    return recipe.but(**changes)


def _below(name: str, value: str, data: Path, place: Workplace) -> str:
    above = data if data.is_dir() else data.parent
    path = (above / value).resolve()
    if path.exists() and any(path.is_relative_to(root.resolve()) for root in (above, place.runs)):
        return str(path)
    raise UsageError(f"{name} is '{value}'; give a file or folder below '{above.name}'.")


def compared(found: RunComparison, say: Language) -> Compared:
    """A comparison in words; differences are to the first run."""
    rows = []
    for number, row in enumerate(found.table.iter_rows(named=True)):
        low, gap, high = (
            None if number == 0 else _plain(row[name]) for name in ("difference_low", "difference", "difference_high")
        )
        difference = "" if number == 0 else f"{say.signed(gap)} ({say.signed(low)} – {say.signed(high)})"
        p = "" if number == 0 else probability(row["p_holm"])
        value = f"{say.number(row['value'])} ({say.interval(row['low'], row['high'])})"
        rows.append(
            Row(
                run=Path(row["model"]).name,
                value=value,
                difference=difference,
                low=low,
                gap=gap,
                high=high,
                p=p,
                tied=row["tied"],
            )
        )
    return Compared(metric=say.name("metric", found.metric), part=found.part, rows=rows)


def delete(place: Workplace, name: str) -> str:
    """Put a run aside; returns the name by which it can be put back. Those put aside long ago are removed for good."""
    source, aside = place.folder(name), place.runs / ASIDE
    for old in _aside(place):
        if time.time() - old.stat().st_mtime > DAYS * 86400:
            shutil.rmtree(old)
    numbers = [int(number) for path in _aside(place) if (number := path.name.partition("-")[0]).isdecimal()]
    target = aside / f"{max(numbers, default=0) + 1}-{name}"
    aside.mkdir(exist_ok=True)
    source.rename(target)
    target.touch()
    return target.name


def deleted(place: Workplace) -> list[str]:
    """What can be put back, the latest first: a number, a dash and the name that it had."""
    return [path.name for path in sorted(_aside(place), key=lambda path: path.stat().st_mtime, reverse=True)]


def restore(place: Workplace, name: str) -> str:
    """Put a run back; returns its name, which is another one where a new run has taken it."""
    source = next((path for path in _aside(place) if path.name == name), None)
    if source is None:
        raise Problem(404, "serve.unknown_path")
    target = place.new_folder(name.partition("-")[2])
    source.rename(target)
    return target.name


def _aside(place: Workplace) -> list[Path]:
    folder = place.runs / ASIDE
    found = list(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []
    return [path for path in found if path.is_dir() and not path.is_symlink()]
