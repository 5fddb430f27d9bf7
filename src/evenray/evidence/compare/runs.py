"""Finished runs on the same cases: their paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.external import FOLDER
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import DataError, UsageError
from evenray.core.run import Run
from evenray.core.types import Predictions
from evenray.learning.tasks import task_of
from evenray.metrics import compare_models, delong_difference, each_repeat

__all__ = ["RunComparison", "compare_runs"]


@dataclass(frozen=True)
class RunComparison:
    """`table` is that of `compare_models`, a row a run, for AUROC on a test part with DeLong's p to the first run as p_delong (of
    more than two classes not at a prevalence).
    `on` is the external test that it is of, None where it is of a part of the runs' own data."""

    metric: str
    part: str
    table: pl.DataFrame
    on: str | None = None


def compare_runs(
    runs: Sequence[str | Path], metric: str | None = None, part: str = "test", *, on: str | None = None
) -> RunComparison:
    """See `verbs.compare_runs`; whether the runs are up to date is not looked at here."""
    folders = [Path(run) for run in runs]
    if part not in ("test", "validation"):
        raise UsageError(f"The part is '{part}'; give test or validation.")
    if len(folders) < 2 or len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("Give two run folders or more, each once; the differences are to the first.")
    if on is not None and part != "test":
        raise UsageError(f"The part is '{part}', and an external test has none; leave it out with --on.")
    scores = {str(folder): _scores(folder, on) for folder in folders}
    (first, reference), *others = scores.items()
    for name, each in others:
        if each.task != reference.task:
            raise DataError(
                f"{name} is a run of the task {each.task}, {first} one of {reference.task}; they cannot be compared."
            )
        if (each.classes, each.positive) != (reference.classes, reference.positive):
            raise DataError(
                f"{name} tells {', '.join(each.classes)} apart (positive: {each.positive}), and {first}"
                f" {', '.join(reference.classes)} (positive: {reference.positive}); only runs on the same classes can be compared."
            )
        if each.prevalence != reference.prevalence:
            raise DataError(
                f"{name} was evaluated at the prevalence {each.prevalence}, {first} at {reference.prevalence}; evaluate both"
                " with the same --prevalence."
            )
    models = {
        name: each_repeat(
            Predictions(
                _place(Path(name), on).read_table("predictions.parquet"), each.classes, each.positive, each.task
            ).part(part)
        )
        for name, each in scores.items()
    }
    task = task_of(reference.task)
    metric = metric or task.compared[0]
    thresholds = {
        name: None if models[name][0].folds is not None else task.thresholds(each) for name, each in scores.items()
    }
    prevalence = task.scored_at(task.target(reference.prevalence, reference.classes, reference.positive))
    table = compare_models(models, metric, thresholds=thresholds, prevalence=prevalence)
    # Cases weighted to class shares make another AUROC of more than two classes, of which DeLong's test knows nothing.
    weighted = prevalence is not None and reference.task == "classify" and len(reference.classes) > 2
    if metric == "auroc" and not weighted and all(len(each) == 1 for each in models.values()):
        p = [1.0, *(delong_difference(models[name][0], models[first][0]).p for name, _ in others)]
        table = table.with_columns(p_delong=pl.Series(p))
    return RunComparison(metric, part, table, on)


def _place(folder: Path, on: str | None) -> RunFolder:
    """Where the predictions and scores stand: in the run folder, or in that of its external test."""
    return RunFolder(folder if on is None else folder / FOLDER / on)


def _scores(folder: Path, on: str | None) -> ScoresRecord:
    if not folder.is_dir():
        raise DataError(f"There is no run folder {folder}; give the folder that 'evenray run' made.")
    if on is None:
        return ScoresRecord.read(folder)
    if on not in (known := Run(folder).external):
        there = f"it has {', '.join(known)}" if known else "it has none"
        raise DataError(
            f"{folder} has no external test '{on}' of its network as it is now ({there});"
            f" 'evenray evaluate {folder} --on DATA -o {on}' makes it."
        )
    return ScoresRecord.read(folder / FOLDER / on)
