"""The line itself: which stages there are, what each depends on, and running them up to one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from evenray.core.artefacts import file_digest
from evenray.core.errors import EvenrayError, UsageError
from evenray.core.lock import alone
from evenray.core.processes import processes
from evenray.core.progress import plain
from evenray.core.recipe import Recipe
from evenray.data.case_table import keep_root
from evenray.data.scan import load
from evenray.images.contrast import settled

from . import audit as findings
from . import data
from .context import Context
from .team import help_out, leading

__all__ = ["STAGES", "run"]


@dataclass(frozen=True)
class Stage:
    """A stage: what it does, the settings that it depends on, and the stages whose outputs it reads.

    `work` does it and returns the names of its outputs.
    """

    name: str
    work: Callable[[Context], list[str]]
    settings: Callable[[Context], list[Any]]
    after: tuple[str, ...]


def _later(module: str, name: str) -> Callable[[Context], list[str]]:
    """A stage's work in a module that is imported when the stage runs: an audit has no need of torch."""

    def work(context: Context) -> list[str]:
        found: list[str] = getattr(import_module(f"{__package__}.{module}"), name)(context)
        return found

    return work


def _weights(context: Context) -> str | None:
    given = context.recipe.weights
    path = Path(given.split(":", 1)[-1]) if given else None
    return file_digest(path) if path and path.is_file() else given


def _training(context: Context) -> list[Any]:
    asked = context.recipe
    contrasts = [settled(spec)[0] for spec in asked.contrasts]
    return [
        contrasts, asked.balance, asked.network, asked.effort, _weights(context), asked.size, asked.epochs, asked.batch,
        asked.learning_rate, asked.patience, asked.choose, asked.folds, asked.flips, asked.scale_jitter, asked.finetune, asked.seed,
        context.kind,
    ]  # fmt: skip


def _comparison(context: Context) -> list[Any]:
    asked = context.recipe
    return [*_training(context), asked.seeds, asked.metric, asked.search, asked.imbalance]


def _evaluation(context: Context) -> list[Any]:
    asked = context.recipe
    return [asked.threshold, asked.views, asked.calibration, asked.prevalence, asked.seed]


LINE = (
    Stage("scan", data.scan_files, data.scan_settings, ()),
    Stage("audit", findings.audit_cases, lambda c: [c.exclusions.rows()], ("scan",)),
    Stage("split", data.split_cases, data.split_settings, ("scan",)),
    Stage("compare", _later("compare", "compare_cells"), _comparison, ("scan", "split")),
    Stage("train", _later("train", "train_network"), _training, ("scan", "split", "compare")),
    Stage("evaluate", _later("evaluate", "evaluate_network"), _evaluation, ("split", "train")),
    Stage("explain", _later("explain", "explain_run"), lambda c: [c.recipe.seed], ("train", "evaluate", "compare")),
    Stage("report", data.write_report, lambda c: [c.language, time.time()], ()),
)
STAGES = tuple(stage.name for stage in LINE)
BEFORE_TRAINING = ("labels", "patient", "value_range", "positive", "exclude", "test", "validation", "seed")


def run(context: Context, until: str = "report") -> None:
    """Run the stages up to `until`; those whose inputs have not changed since they finished are skipped.

    Of several processes that torchrun or srun started, the first does all this, and the others help it to train. A
    mistake in what is asked for is told before anything is written, or undone: the run folder keeps its former recipe.
    """
    if processes().count == 1:
        _run(context, until)
    elif STAGES.index(until) < STAGES.index("train"):
        if processes().rank == 0:
            _run(context, until)
    elif context.team is not None and context.team.global_rank:
        from .train import learn

        help_out(context, learn)
    else:
        with leading(context):
            _run(context, until)


def _run(context: Context, until: str) -> None:
    stages = LINE[: STAGES.index(until) + 1]
    context.require_same_data()
    if trains := _trains(context.recipe, until):
        from .recipe_check import check_recipe

        check_recipe(context.recipe)
    if STAGES.index(until) >= STAGES.index("compare"):
        _ = context.fabric  # a device that is not there is told now
    _ = context.exclusions  # so is a file that is not
    scan_settings = None if context.images_are_away() else data.scan_settings(context)
    if scan_settings is not None and STAGES.index(until) >= STAGES.index("split"):
        data.require_labels(context)
    with alone(context.folder.path):
        former = context.begin()
        if scan_settings is not None:
            keep_root(context.folder, context.given.root if context.given else str(context.root))
        try:
            _run_stages(context, stages, scan_settings, trains)
        except EvenrayError as error:
            context.withdraw(former, mistake=isinstance(error, UsageError))
            raise


def _trains(recipe: Recipe, until: str) -> bool:
    """Whether the recipe is about training too: the stages go so far, or it asks for more than the first stages need."""
    usual = Recipe()
    return STAGES.index(until) >= STAGES.index("compare") or recipe != usual.but(
        **{name: getattr(recipe, name) for name in BEFORE_TRAINING}
    )


def _run_stages(context: Context, stages: Sequence[Stage], scan_settings: list[Any] | None, trains: bool) -> None:
    last = stages[-1].name
    for stage in stages:
        worked = False
        if stage.name != "scan":
            worked = _run_stage(context, stage, stage.settings(context))
        elif scan_settings is None:
            context.progress.say(f"[dim]scan      '{plain(context.data)}' is away; its table stands[/dim]")
        else:
            _run_stage(context, stage, scan_settings)
        if stage.name == "scan":
            _after_scan(context, last, trains)
        if stage.name == "audit" and (worked or last == "audit"):
            findings.tell_findings(context)
        if stage.name == "audit" and STAGES.index(last) >= STAGES.index("compare"):
            findings.stop_where_void(context)


def _after_scan(context: Context, last: str, trains: bool) -> None:
    """The list of files goes; mistakes that only the classes can show are told before anything is made of them."""
    context.forget_listing()
    if STAGES.index(last) >= STAGES.index("split"):
        load(context.folder, split=False).to_learn_from()
    if trains:
        from .recipe_check import check_classes

        about = context.folder.read_json("dataset.json")
        check_classes(context.recipe, tuple(about["classes"]), about["positive"])


def _run_stage(context: Context, stage: Stage, settings: list[Any]) -> bool:
    """Whether there was anything to do."""
    key = context.key(stage.name, settings, stage.after)
    if context.folder.fresh(stage.name, key):
        context.progress.say(f"[dim]{stage.name:9} unchanged[/dim]")
        return False
    start = time.perf_counter()
    outputs = stage.work(context)
    seconds = time.perf_counter() - start
    context.folder.finish(stage.name, key, outputs, seconds)
    context.progress.say(f"[green]{stage.name:9}[/green] {seconds:7.1f} s")
    return True
