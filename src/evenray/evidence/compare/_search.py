"""The search through the grid: every cell from every seed, or successive halving first, which stops weak cells early."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ._cells import Cell, Fold, Setup, folds_of, predicted, simplest_first, train_fold
from ._grid import Grid, Measured, believed, check_metric, grid, measure

__all__ = ["compare", "rungs", "trainings"]

Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
KEEP = 3  # with halving, one cell in so many goes on, and trains so many times as long


def compare(
    cells: Sequence[Cell], setup: Setup, folder: Path, *, metric: str = "auprc", halving: bool = False, map: Map = map,
    tick: Callable[[int], None] = lambda n: None,
) -> Grid:  # fmt: skip
    """The grid, one row a cell: metrics with intervals, the claims against the simplest cell, and the choice.

    Every case is predicted by a network that was trained without its group. Each fold of each cell is kept in `folder` and
    not computed again. `map` runs trainings, in processes or on a cluster that shares the stores; the numbers are the same.
    With `halving` all cells train a short while, the best third of them three times as long, and so on (Jamieson &
    Talwalkar 2016), from one seed but on the last rung; the simplest goes all the way, for all are compared with it. `tick`
    is called with the trainings done.
    """
    check_metric(metric)
    climbs = []
    for imbalance in dict.fromkeys(cell.imbalance for cell in cells):
        here = simplest_first([c for c in cells if c.imbalance == imbalance], setup.channels, setup.size)
        climbs.append(_climb(here, setup, folder, metric, halving, map, tick))
    return grid(climbs, metric, setup.settings.seed)


def _climb(
    cells: list[Cell], setup: Setup, folder: Path, metric: str, halving: bool, map: Map, tick: Callable[[int], None]
) -> list[list[Measured]]:
    """The cells of one imbalance, rung by rung, each rung in the order given."""

    climbed: list[list[Measured]] = []
    left, steps = cells, rungs(len(cells), setup.settings.epochs, halving)
    for count, epochs in steps:
        if climbed:
            left = _ahead(climbed, metric, count, setup.settings.seed)
        here = setup if len(climbed) + 1 == len(steps) else replace(setup, seeds=1)
        works = {cell: folds_of(cell, here, folder, epochs) for cell in left}
        _train([work for seeds in works.values() for folds in seeds for work in folds], map, tick)
        runs = {cell: [predicted(cell, setup, folds) for folds in seeds] for cell, seeds in works.items()}
        climbed.append([measure(cell, found, setup.fold, epochs, setup.settings.seed) for cell, found in runs.items()])
    return climbed


def _ahead(climb: Sequence[Sequence[Measured]], metric: str, count: int, seed: int) -> list[Cell]:
    """The simplest cell and those of the highest expected figure, `count` in all, in the order of the last rung."""
    rung, expected = climb[-1], believed(climb, metric, seed).mean
    taken = {0, *(1 + np.argsort(-expected[1:], kind="stable")[: count - 1]).tolist()}
    return [each.cell for i, each in enumerate(rung) if i in taken]


def _train(works: list[Fold], map: Map, tick: Callable[[int], None]) -> None:
    missing = list({work.path: work for work in works if not Path(work.path).exists()}.values())
    tick(len(works) - len(missing))
    for _ in map(train_fold, missing):
        tick(1)


def rungs(cells: int, epochs: int, halving: bool) -> list[tuple[int, int]]:
    """How many cells train for how many epochs, rung by rung.

    >>> rungs(27, 18, halving=True), rungs(27, 18, halving=False), rungs(27, 2, halving=True)
    ([(27, 2), (9, 6), (3, 18)], [(27, 18)], [(27, 2)])
    """
    counts = [cells]
    while halving and counts[-1] > 2 * KEEP and epochs // KEEP ** len(counts) > 0:
        counts.append(-(-counts[-1] // KEEP))
    return [(count, epochs // KEEP ** (len(counts) - 1 - i)) for i, count in enumerate(counts)]


def trainings(cells: int, folds: int, seeds: int, epochs: int, halving: bool) -> int:
    """Trainings of a comparison of so many cells at one imbalance, for a progress bar and a budget.

    >>> trainings(9, folds=3, seeds=2, epochs=6, halving=False)
    54
    """
    counts = [count for count, _ in rungs(cells, epochs, halving)]
    return (sum(counts) + counts[-1] * (seeds - 1)) * folds
