"""What the verbs of the line share: which folder, which data, which recipe; and one training a process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from evenray import scale
from evenray.core.artefacts import RunFolder, atomic
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.design import DesignRecord
from evenray.core.artefacts.lock import LOCK
from evenray.core.artefacts.plan import Planned
from evenray.core.errors import DataError, UsageError
from evenray.core.events import Events, Listener
from evenray.core.processes import processes
from evenray.core.recipe import STAGES, Machine, Recipe, ReportSettings
from evenray.core.settings import declared
from evenray.core.spec import by_class
from evenray.core.types import Dataset
from evenray.stages.line import Job
from evenray.stages.line import run as run_line

__all__ = ["Settings", "job", "left_alone", "one_training", "run_until", "spelt_out"]

ORDER = tuple(STAGES)
FILES = ("labels", "pretrained", "exclude", "regions")  # settings that name files
_training = Lock()

Settings = Mapping[str, Any]


def run_until(
    until: str, target: str | Path | Dataset, output: str | Path | None, recipe: Recipe | None, settings: Settings,
    listener: Listener | None,
) -> Path:  # fmt: skip
    """Run the line up to a stage, for images or for a run folder; returns the run folder.

    `settings` are those of the Recipe, the Machine and the report by their names. Raises UsageError for an unknown one, and
    where a training is under way in this process already.
    """
    with job(target, output, recipe, settings, listener) as work:
        if ORDER.index(until) < ORDER.index("compare"):
            run_line(work, until)
        else:
            with one_training():
                run_line(work, until)
        return work.folder.path


@contextmanager
def left_alone(folder: RunFolder, recipe: Recipe) -> Iterator[None]:
    """A run that has trained keeps its recipe and its plan; UsageError where a plan would need other data or another split."""
    ledger = folder.ledger
    if processes().rank or not {"compare", "train"} & set(ledger.stages):
        yield
        return
    asked = Asked.read(folder.path)
    former = dict(asked.recipe) | {name: ledger.from_here(getattr(asked.recipe, name)) for name in FILES}
    early = {n: about for stage in ("scan", "audit", "split") for n, about in declared(STAGES[stage]).items()}
    if not _by_effort(folder):
        early.pop("effort")
    if changed := [about.option for name, about in early.items() if former[name] != getattr(recipe, name)]:
        raise UsageError(
            f"'{folder.path}' holds a trained run, and {', '.join(changed)} would change what it was trained on; to plan for that,"
            f" name the images and another folder: 'evenray plan {asked.data} -o NEW'."
        )
    kept = {name: (folder / name).read_bytes() for name in (Asked.file, Planned.file) if folder.has(name)}
    try:
        yield
    finally:
        for name, content in kept.items():
            with atomic(folder / name) as path:
                path.write_bytes(content)
        done = {"plan": ledger.stages["plan"]} if "plan" in ledger.stages else {}
        folder.note(lambda now: now.model_copy(update={"stages": {**now.stages, **done}}))


def _by_effort(folder: RunFolder) -> bool:
    """Whether another effort would make another design of the run."""
    return folder.has(DesignRecord.file) and DesignRecord.read(folder.path).reason.code in (
        "plan.design.small",
        "plan.design.quick",
    )


@contextmanager
def one_training() -> Iterator[None]:
    """A training has its process for itself: torch's seeds, threads and determinism are the process's own."""
    if not _training.acquire(blocking=False):
        raise UsageError("A training is under way in this process; start another process for a second one.")
    try:
        yield
    finally:
        _training.release()


@contextmanager
def job(
    target: str | Path | Dataset, output: str | Path | None, recipe: Recipe | None, settings: Settings,
    listener: Listener | None,
) -> Iterator[Job]:  # fmt: skip
    """A run of the line that is ready to start, with its engine, for as long as the block runs."""
    given = target if isinstance(target, Dataset) else None
    values = spelt_out({name: value for name, value in settings.items() if value is not None})
    machine = Machine.of(values)
    lang = ReportSettings.of(values).lang
    asked = {n: v for n, v in values.items() if n not in Machine.model_fields and n not in ReportSettings.model_fields}
    source = given.root if given is not None else str(target)
    folder, data, whole = _place(source, output, recipe, asked, given=given is not None)
    first = processes().rank == 0
    engine = machine.engine if first else "local"
    with scale.engine(engine, machine.address if first else None, machine.jobs) as found, closing(folder):
        yield Job(
            folder, data, whole, machine, lang, found.map, found.apart, Events(listener if first else None), given
        )


def spelt_out(settings: Settings) -> Settings:
    """The settings with what is short for others: class_weights for a weighted balance, cost for a rule of the threshold.

    >>> spelt_out({"class_weights": {"sick": 0.75, "healthy": 0.25}, "cost": {"a, b": 1, "c": 3}})
    {'balance': 'weighted(sick=0.75, healthy=0.25)', 'threshold': "cost(costs={'a, b': 1, 'c': 3})"}
    """
    values = dict(settings)
    for short, of, name, table in (
        ("class_weights", "balance", "weighted", "class_weights"),
        ("cost", "threshold", "cost", "costs"),
    ):
        if short not in values:
            continue
        if of in values:
            option = short.replace("_", "-")
            what = "remedy" if of == "balance" else "rule for the operating point"
            raise UsageError(f"--{option} and --{of} both name the {what}; give one of them.")
        numbers = {
            who: f"{float(n):.0f}" if float(n).is_integer() else f"{float(n)}" for who, n in values.pop(short).items()
        }
        values[of] = by_class(name, table, numbers)
    return values


def _place(
    target: str, output: str | Path | None, recipe: Recipe | None, values: Settings, *, given: bool
) -> tuple[RunFolder, str, Recipe]:
    """The run folder, the data and the recipe: those that the folder remembers, changed by what is given now."""
    named = dict(recipe) if recipe is not None else {}
    if not given and (folder := _run_at(target)) is not None:
        before = Asked.read(folder.path)
        ledger = folder.ledger
        typed = {name: ledger.from_here(getattr(before.recipe, name)) for name in FILES}
        whole = before.recipe if recipe is None else recipe
        return folder, str(ledger.from_here(before.data)), Recipe(**{**dict(whole), **typed, **values})
    whole = Recipe(**{**named, **values})
    if not given and not scale.is_url(target) and not Path(target).exists():
        raise DataError(
            f"There is no '{target}'; give a folder of images, a label table (.csv, .parquet) or a .npz file."
        )
    if output is not None and scale.is_url(output):
        if processes().count > 1:
            raise UsageError(
                f"{processes().count} processes need a run folder that all of them see; give -o a path on a shared disk."
            )
        return _new_at(str(output)), target, whole
    place = Path(output) if output is not None else Path(f"{_stem(target)}-run")
    # Of several processes only the first looks: it begins to write while the others start.
    first = processes().rank == 0
    if first and place.exists() and not (place / Asked.file).is_file() and not _empty(place):
        raise UsageError(f"'{place}' exists and is no run folder; name a new folder, or an earlier run's, with -o.")
    return RunFolder(place), target, whole


def _stem(target: str) -> str:
    path = Path(target.partition("?")[0].rstrip("/").rsplit("/", 1)[-1] if scale.is_url(target) else target)
    return path.resolve().name.removesuffix(path.suffix) or "data"


def _run_at(target: str) -> RunFolder | None:
    """The run folder at a path or a URL; None where there is none."""
    if not scale.is_url(target):
        return RunFolder(target) if (Path(target) / Asked.file).is_file() else None
    return scale.RemoteFolder(target) if not scale.is_pacs(target) and scale.Mirror(target).holds(Asked.file) else None


def _new_at(url: str) -> RunFolder:
    """The run folder at a URL, empty or of an earlier run."""
    folder = scale.RemoteFolder(url)
    if not folder.has(Asked.file) and folder.mirror.there():
        raise UsageError(f"'{url}' holds files and is no run folder; name a new folder, or an earlier run's, with -o.")
    return folder


def _empty(folder: Path) -> bool:
    """Whether nothing is in a folder but, perhaps, the lock of a run that was killed as it began."""
    return folder.is_dir() and all(path.name == LOCK for path in folder.iterdir())
