"""The main job, and each of its stages by its own name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evenray.core.errors import UsageError
from evenray.core.events import Listener
from evenray.core.recipe import Recipe
from evenray.core.run import Run
from evenray.core.types import Dataset
from evenray.stages.line import run as run_line

from ._external import external_test
from ._line import job, left_alone, run_until

__all__ = ["Target", "compare", "evaluate", "plan", "run", "train"]

Target = str | Path | Dataset


def run(
    target: Target, recipe: Recipe | None = None, output: str | Path | None = None, *, until: str = "report",
    listener: Listener | None = None, **settings: Any,
) -> Run:  # fmt: skip
    """The main job: scan, audit, split, plan, compare, train, evaluate, explain, report; stages that are up to date are skipped.

    `target` is a folder of images, a table, a .npz file (also at a URL), a data set that is scanned already, or a run
    folder, whose recipe then holds but for what is given now. `output` is the run folder, by default the data's name with
    -run. `settings` are those of the Recipe by name, and device, jobs, engine, address, save_every and lang. `listener` gets
    an event for every stage, step and message; one that raises `Cancelled` ends the work. Raises EvenrayError with a sentence
    for whatever the user can mend.
    """
    if until == "plan":
        return plan(target, recipe, output, listener=listener, **settings)
    return Run(run_until(until, target, output, recipe, settings, listener))


def plan(
    target: Target, recipe: Recipe | None = None, output: str | Path | None = None, *, listener: Listener | None = None,
    **settings: Any,
) -> Run:  # fmt: skip
    """Decide what would be trained, each choice with its reason (`run.planned`); nothing is trained. See `run`.

    The folder of a trained run keeps its own plan and recipe.
    """
    with job(target, output, recipe, settings, listener) as work, left_alone(work.folder, work.recipe):
        run_line(work, "plan")
        done = Run(work.folder.path)
        _ = done.planned  # read while it stands
        return done


def compare(
    target: Target, recipe: Recipe | None = None, output: str | Path | None = None, *, listener: Listener | None = None,
    **settings: Any,
) -> Run:  # fmt: skip
    """Compare contrasts and remedies for imbalance, the test part closed (`run.choice`, `run.grid`). See `run`."""
    return run(target, recipe, output, until="compare", listener=listener, **settings)


def train(
    target: Target, recipe: Recipe | None = None, output: str | Path | None = None, *, listener: Listener | None = None,
    **settings: Any,
) -> Run:  # fmt: skip
    """Train the network on what the comparison chose (`run.model`, `run.history`). See `run`."""
    return run(target, recipe, output, until="train", listener=listener, **settings)


def evaluate(
    target: Target, recipe: Recipe | None = None, output: str | Path | None = None, *, on: str | Path | Dataset | None = None,
    recalibrate: bool = False, listener: Listener | None = None, **settings: Any,
) -> Run:  # fmt: skip
    """Open the test part and score it (`run.scores`, `run.predictions`). See `run`.

    With `on`, the images of another hospital, the finished run `target` is tested on these as it is, and its own test part is left
    alone (`run.external` by the name `output`, by default that of the data). `settings` then say how the other set is read
    (labels, column, patient, masks, boxes, value_range, ...; exclude, allow). `recalibrate` fits the probabilities on half of
    its patients too, and tells what that changes on the others. DataError where its classes are not those of the run, or images or
    patients are those that the run learnt from.
    """
    if on is not None:
        if recipe is not None:
            raise UsageError("recipe is that of a run, and a finished run is tested as it is; leave it out with on.")
        return external_test(target, on, output, recalibrate=recalibrate, listener=listener, settings=settings)
    if recalibrate:
        raise UsageError("--recalibrate is about another set; give it with --on.")
    return run(target, recipe, output, until="evaluate", listener=listener, **settings)
