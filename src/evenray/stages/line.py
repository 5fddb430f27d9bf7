"""The line itself: the stages in their order, each run when its settings or inputs have changed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import polars as pl

from evenray.core.artefacts import Ledger, RunFolder, atomic, digest, now, sweep, version
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import keep_root
from evenray.core.artefacts.lock import alone, staying
from evenray.core.errors import EvenrayError, UsageError
from evenray.core.events import Events, Map, StageBegun, StageDone
from evenray.core.names import as_path
from evenray.core.processes import processes
from evenray.core.recipe import STAGES, Machine, Recipe, ScanSettings
from evenray.core.settings import Settings
from evenray.core.types import Dataset
from evenray.data.exclusions import read_exclusions
from evenray.scale import is_url

from .artefacts import CASES, DESIGN
from .source import Source
from .stage import Stage, contents, stage
from .team import help_out, leading
from .tools import Tools
from .void import stop_where_void, tell_findings

__all__ = ["Job", "run", "run_stage", "stage_of"]

ORDER = tuple(STAGES)
ON_DEVICE = ("plan", "compare", "train")  # whose outputs depend on the kind of the device


@cache
def stage_of(name: str) -> Stage:
    """A stage of the line by its name; its module is imported when it is asked for."""
    found = stage(f"evenray.stages.{name}", on_device=name in ON_DEVICE)
    assert found.settings is STAGES[name], f"{name} takes {found.settings}, and STAGES says {STAGES[name]}"
    return found


@dataclass
class Job:
    """One run of the line: what is asked for, of which data, where, and who listens."""

    folder: RunFolder
    data: str
    recipe: Recipe
    machine: Machine = field(default_factory=Machine)
    lang: str = "en"
    map: Map = map
    apart: Map = map
    events: Events = field(default_factory=Events)
    given: Dataset | None = None

    @cached_property
    def source(self) -> Source:
        return Source(self.data, ScanSettings.of(self.recipe), self.given)

    @cached_property
    def tools(self) -> Tools:
        return Tools(
            self.folder.path,
            self.events,
            self.map,
            self.apart,
            self.machine.device,
            self.machine.save_every,
            open_test=self._open_test,
        )

    def settings(self, each: Stage) -> Settings:
        """Those of the recipe that a stage depends on."""
        return each.settings.of({**dict(self.recipe), "lang": self.lang})

    def _open_test(self) -> None:
        self.folder.note(lambda ledger: ledger.model_copy(update={"test_opened": (*ledger.test_opened, now())}))


def run(job: Job, until: str = "report") -> None:
    """Run the stages up to `until`; those whose settings and inputs have not changed since they finished are skipped.

    Of several processes that torchrun or srun started, the first does all this, and the others help it to train. A
    mistake in what is asked for is told before anything is written, or undone: the run folder keeps its former recipe.
    """
    if processes().count == 1:
        _run(job, until)
    elif ORDER.index(until) < ORDER.index("train"):
        if processes().rank == 0:
            _run(job, until)
    elif job.tools.team is not None and job.tools.team.global_rank:
        help_out(job.tools, lambda key: _train_along(job, key))
    else:
        with leading(job.tools):
            _run(job, until)


def _train_along(job: Job, key: str) -> None:
    from .train import learn

    train, job.tools.key = stage_of("train"), key
    learn(train.read(job.folder), job.settings(train), job.tools)  # type: ignore[arg-type]


def _run(job: Job, until: str) -> None:
    _require_same_data(job)
    if trains := _trains(job.recipe, until):
        from .recipe_check import check_recipe

        check_recipe(job.recipe)
    if ORDER.index(until) >= ORDER.index("plan"):
        _ = job.tools.machine  # a device that is not there is told now
    exclusions = _exclusions(job)
    away = _images_are_away(job)
    if not away:
        _ = job.source.stamp
        if ORDER.index(until) >= ORDER.index("split"):
            job.source.require_labels()
        if ORDER.index(until) >= ORDER.index("plan"):
            job.source.require_positive()
    with alone(job.folder.path):
        former = _begin(job, exclusions)
        if not away:
            keep_root(job.folder, job.source.root)
        try:
            _run_stages(job, until, away=away, trains=trains)
        except EvenrayError as error:
            _withdraw(job.folder, former, mistake=isinstance(error, UsageError))
            raise


def _trains(recipe: Recipe, until: str) -> bool:
    """Whether the recipe is about training too: the stages go so far, or it asks for more than the first stages need."""
    early = {name for stage in ORDER[: ORDER.index("plan")] for name in STAGES[stage].model_fields}
    return ORDER.index(until) >= ORDER.index("plan") or recipe != Recipe(
        **{name: getattr(recipe, name) for name in early}
    )


def _run_stages(job: Job, until: str, *, away: bool, trains: bool) -> None:
    for name in ORDER[: ORDER.index(until) + 1]:
        if name == "scan":
            if away:
                job.events.tell("scan.away", "note", data=job.data)
            else:
                _run_scan(job)
            _after_scan(job, until, trains)
            continue
        if name == "plan":
            from .promises import stop_where_unkept

            stop_where_unkept(job.folder, job.recipe, job.events)
        if name == "evaluate":
            _run_outer_folds(job)
        if name == "report" and job.recipe.effort == "thorough":
            run_stage(job, stage("evenray.stages.robustness", on_device=True))
        worked = run_stage(job, stage_of(name))
        if name == "audit":
            if worked or until == "audit":
                tell_findings(job.folder, job.events)
            if ORDER.index(until) >= ORDER.index("plan"):
                stop_where_void(job.folder, job.recipe)


def _run_outer_folds(job: Job) -> None:
    """A nested cross-validation goes through its outer folds before anything is scored; what a former design left is forgotten."""
    if DESIGN.read(job.folder).nested:
        run_stage(job, stage("evenray.stages.nested", on_device=True))
    elif "nested" in job.folder.ledger.stages:
        (job.folder / "outer_folds.parquet").unlink(missing_ok=True)
        without = {name: done for name, done in job.folder.ledger.stages.items() if name != "nested"}
        job.folder.note(lambda ledger: ledger.model_copy(update={"stages": without}))


def _run_scan(job: Job) -> None:
    scan = stage_of("scan")
    run_stage(job, scan, inputs=scan.inputs(source=job.source), stamps={"source": job.source.stamp})


def _after_scan(job: Job, until: str, trains: bool) -> None:
    """The list of files goes; mistakes that only the classes can show are told before anything is made of them."""
    job.source.forget_listing()
    if ORDER.index(until) < ORDER.index("split") and not trains:
        return
    cases = CASES.read(job.folder)
    if ORDER.index(until) >= ORDER.index("split"):
        cases.to_learn_from()
    if trains:
        from evenray.learning.tasks import task_of

        task_of(cases.facts.task).check(job.recipe, cases.classes, cases.positive)
        if job.recipe.metric is not None:
            from evenray.evidence.compare import check_metric

            check_metric(job.recipe.metric, cases.facts.task)


def run_stage(
    job: Job, each: Stage, settings: Settings | None = None, *, inputs: Any = None,
    stamps: Mapping[str, str] | None = None,
) -> bool:  # fmt: skip
    """Whether there was anything to do. `inputs` are those that do not come from the folder, `stamps` what they hold."""
    settings = job.settings(each) if settings is None else settings
    stamps = each.stamps(job.folder) if stamps is None else stamps
    key, device = each.key(settings, contents()), job.tools.kind if each.on_device else None
    if job.folder.fresh(each.name, key, stamps, device):
        job.events.send(StageDone(each.name, None))
        return False
    job.events.send(StageBegun(each.name))
    meter = job.tools.meter(each.on_device)
    job.tools.key = digest([each.name, key, stamps, device, version()])
    with staying(job.folder.path):
        outputs = each.work(each.read(job.folder) if inputs is None else inputs, settings, job.tools)
        written = each.write(job.folder, outputs)
    cost = job.tools.cost(meter, each.on_device)
    job.folder.finish(each.name, key, stamps, device, written, cost)
    job.events.send(StageDone(each.name, cost.seconds))
    return True


# -- before and after ---------------------------------------------------------------------------------------------------
def _exclusions(job: Job) -> pl.DataFrame | None:
    """What the user leaves out; None where the folder remembers it and the file is gone. UsageError for a mistake in it."""
    asked = job.recipe.exclude
    if not asked:
        return None
    gone = not Path(asked).exists() and job.folder.has("exclusions.csv") and job.folder.has(Asked.file)
    if gone and Asked.read(job.folder.path).recipe.exclude == asked:
        return None
    return read_exclusions(asked)


def _images_are_away(job: Job) -> bool:
    """Whether the images are gone (a disk that is not mounted, say) but the table of cases, asked for alike, stands."""
    if not job.source.away or not job.folder.has(Asked.file):
        return False
    former = Asked.read(job.folder.path).recipe
    return ScanSettings.of(former) == ScanSettings.of(job.recipe) and job.folder.intact("scan")


def _require_same_data(job: Job) -> None:
    """UsageError where the folder holds a run of other images: it would be replaced.

    Images that are not where they were may have been moved here; those are let through.
    """
    ledger = job.folder.ledger
    if not ledger.stages or not job.folder.has(Asked.file):
        return
    former = Asked.read(job.folder.path).data
    if is_url(former) or is_url(job.data):
        other = former != job.data
    else:
        there = Path(as_path(ledger.directory), former)
        former, here = str(there), job.source.path
        other = there.exists() and not (here.exists() and there.samefile(here))
    if other:
        raise UsageError(
            f"'{job.folder.path}' holds a run of '{former}', not of '{job.data}'; name another folder with -o."
        )


def _begin(job: Job, exclusions: pl.DataFrame | None) -> bytes | None:
    """Write what is asked for and where it runs; returns the former recipe.json, None in a new folder."""
    folder = job.folder
    former = (folder / Asked.file).read_bytes() if folder.has(Asked.file) else None
    sweep(folder.path)
    Asked(job.data, job.recipe).write(folder.path)
    folder.note(lambda ledger: ledger.begun(str(Path.cwd())))
    if exclusions is not None:
        folder.write_table("exclusions.csv", exclusions)
    elif not job.recipe.exclude:
        (folder / "exclusions.csv").unlink(missing_ok=True)
    return former


def _withdraw(folder: RunFolder, former: bytes | None, *, mistake: bool) -> None:
    """After an error: a mistaken recipe gives way to the former one, and a folder in which nothing was done goes."""
    if former is not None:
        if mistake:
            with atomic(folder / Asked.file) as path:
                path.write_bytes(former)
    elif not folder.ledger.stages:
        for name in (Asked.file, Ledger.file, "exclusions.csv"):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.path.rmdir()
