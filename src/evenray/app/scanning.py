"""Reading images into a run: the first time, and again with other meanings of their columns."""

from __future__ import annotations

from collections.abc import Sequence

from evenray.core.artefacts.asked import Asked
from evenray.core.errors import DataError
from evenray.core.recipe import Recipe
from evenray.core.run import Run
from evenray.data.tables.expressions import columns_asked
from evenray.serve.problems import Problem

from .jobs import EVENTS, start
from .workplace import Workplace

__all__ = ["TRAINED", "read_again", "read_first"]

TRAINED = {"compare", "train"}


def read_first(place: Workplace, column: Sequence[str]) -> str:
    """Begin a run of the images that the workplace was given; returns its name."""
    if place.data is None:
        raise Problem(404, "serve.unknown_path")
    name = place.data.name
    return _begin(place, name.removesuffix(place.data.suffix), str(place.data), Recipe(column=_checked(column)))


def read_again(place: Workplace, run: Run, column: Sequence[str]) -> str:
    """Read the images of a run again; in its folder, or where it has trained in a new one. Returns the name of the run."""
    if run.asked is None:
        raise DataError(f"{run.path} has no recipe.json; make the run again.")
    recipe = run.asked.recipe.but(column=_checked(column))
    data = str(run.ledger.from_here(run.asked.data))
    if TRAINED & set(run.ledger.stages):
        return _begin(place, run.name, data, recipe.but(exclude=None))
    Asked(data, recipe).write(run.path)
    (run.path / EVENTS).unlink(missing_ok=True)  # what was read before counts no more
    start(run.path, "audit")
    return run.name


def _begin(place: Workplace, name: str, data: str, recipe: Recipe) -> str:
    folder = place.new_folder(name or "run")
    folder.mkdir(parents=True)
    Asked(data, recipe).write(folder)
    start(folder, "audit")
    return folder.name


def _checked(column: Sequence[str]) -> tuple[str, ...]:
    """UsageError where they are no meanings of columns."""
    columns_asked(column)
    return tuple(column)
