"""The table of a comparison: every cell's figures with their intervals, what is claimed against the reference, its cost,
and the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from evenray.core.errors import DataError, unknown_name
from evenray.core.types import Predictions
from evenray.learning.tasks import task_of, tasks
from evenray.metrics import LOWER_IS_BETTER, holm

from ._cells import Cell
from ._choice import Posterior, error, posterior, settle, training_variance
from ._figures import Chance, Figures, by_chance, within_folds

__all__ = ["LEVEL", "Grid", "GridRow", "Interval", "Measured", "believed", "check_metric", "grid", "measure"]

LEVEL = 0.05
LIKELY = 0.8
Z = 1.959963984540054
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """A trained cell: its figures over all seeds and folds, what one of them would be by chance, the seconds and the epochs."""

    cell: Cell
    figures: Mapping[str, Figures]
    by_chance: Chance
    seconds: float
    epochs: int


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class GridRow:
    """A cell beside the others.

    `figures` by the names of the task's comparison, means over folds and seeds. By `metric`: `sampling_deviation` of the mean
    over patients and `seed_deviation` of a single training; the claim against the reference, `difference` with interval and p,
    which answers for patients, seeds and other training cases; `expected`, the figure when the other cells are heard too,
    `better`, the probability that it is above the reference, and `luck` (see Posterior).
    `p_chance` asks whether it is better than chance, corrected for the number of cells; `visible_chance` is what would have
    been told from it, of the figure `chance`. `tied`: the one of the highest expected figure is not better with a
    probability of LIKELY.
    """

    cell: Cell
    metric: str
    figures: Mapping[str, Interval]
    seeds: int
    sampling_deviation: float
    seed_deviation: float
    difference: float
    difference_low: float
    difference_high: float
    p: float
    p_holm: float
    expected: float
    better: float
    luck: float
    p_chance: float
    visible_chance: float
    chance: str
    epochs: int
    seconds: float
    tied: bool
    reference: bool
    chosen: bool = False

    def as_row(self) -> dict[str, str | float]:
        """The columns of grid.parquet."""
        found: dict[str, str | float] = {}
        for name, value in vars(self).items():
            if name == "cell":
                found |= vars(self.cell)
            elif name == "figures":
                for figure, interval in self.figures.items():
                    found |= {figure: interval.value, f"{figure}_low": interval.low, f"{figure}_high": interval.high}
            else:
                found[name] = value
        return found

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> GridRow:
        """What `as_row` gave."""
        names = [name for name in row if f"{name}_low" in row and name != "difference"]
        figures = {name: Interval(*(row[f"{name}{end}"] for end in ("", "_low", "_high"))) for name in names}
        own = {each.name: row[each.name] for each in fields(cls) if each.name not in ("cell", "figures")}
        return cls(Cell(*(row[each.name] for each in fields(Cell))), figures=figures, **own)


@dataclass(frozen=True)
class Grid:
    """The outcome of a comparison, a row a cell."""

    rows: tuple[GridRow, ...]

    @property
    def table(self) -> pl.DataFrame:
        """The content of grid.parquet."""
        return pl.DataFrame([row.as_row() for row in self.rows], infer_schema_length=None)

    @classmethod
    def of(cls, table: pl.DataFrame, source: Path) -> Grid:
        """From the content of grid.parquet; DataError names the columns that another version of evenray did not write."""
        try:
            return cls(tuple(GridRow.of(row) for row in table.iter_rows(named=True)))
        except KeyError as error:
            raise DataError(
                f"'{source}' is damaged or of another version of evenray: it has no column {error}; 'evenray compare"
                f" {source.parent}' makes it anew."
            ) from None

    @property
    def chosen(self) -> GridRow:
        return next(row for row in self.rows if row.chosen)

    def alike(self, row: GridRow) -> list[GridRow]:
        """The rows of the same imbalance, which are compared with one another."""
        return [other for other in self.rows if other.cell.imbalance == row.cell.imbalance]


def check_metric(metric: str, task: str | None = None) -> None:
    """UsageError unless a comparison can rank by this metric: one of a task, or of any where that is not known yet."""
    known = dict.fromkeys(name for each in ([task] if task else tasks) for name in task_of(each).compared)
    if metric not in known:
        raise unknown_name("metric to compare by", metric, known)


def measure(
    cell: Cell, runs: Sequence[tuple[Predictions, float]], fold_N: NDArray[np.int64], epochs: int, seed: int
) -> Measured:
    """The figures of a cell from the predictions and seconds of each seed's trainings."""
    figures = within_folds([predictions for predictions, _ in runs], fold_N, seed)
    return Measured(cell, figures, by_chance(runs[0][0], fold_N, figures), sum(seconds for _, seconds in runs), epochs)


def believed(rung: Sequence[Measured], metric: str, seed: int = 0) -> Posterior:
    """What is believed of the cells after all of them were measured, turned so that more is better.

    A cell whose figure is unknown is believed to be worth nothing.
    """
    value, figures, sampling = _turned(rung, metric)
    known = np.flatnonzero(np.isfinite(value)).tolist()
    mean = np.full(len(rung), -np.inf)
    if len(known) == 0:
        return Posterior(mean, np.zeros((1, len(rung))), 1.0)
    names = [[getattr(rung[i].cell, name) for i in known] for name in ("contrast", "balance", "network")]
    covariance = error([figures[i] for i in known], sampling[np.ix_(known, known)])
    found = posterior(value[known], covariance, names, seed=seed)
    draws = np.full((len(found.draws), len(rung)), -np.inf)
    mean[known], draws[:, known] = found.mean, found.draws
    return Posterior(mean, draws, found.luck)


def grid(climbs: Sequence[Sequence[Sequence[Measured]]], metric: str, seed: int = 0) -> Grid:
    """One row a cell. `climbs` has for each imbalance the rungs that were climbed, each with its cells from the simplest on.

    A cell has the figures of its last rung, compared with the other cells there; the simplest is in all of them,
    and the differences are to it. The choice is among the cells of the highest rung of the first imbalance.
    """
    rows: list[GridRow] = []
    for climb in climbs:
        further: set[Cell] = set()
        for rung in reversed(climb):
            top = rung is climb[-1]
            found = [row for row in _rows(rung, metric, seed, top=top) if row.cell not in further]
            rows += found if climb is climbs[0] else [replace(row, chosen=False) for row in found]
            further |= {each.cell for each in rung}
    return Grid(tuple(rows))


def _rows(rung: Sequence[Measured], metric: str, seed: int, *, top: bool) -> list[GridRow]:
    """The rows of cells that were trained alike."""
    value, figures, sampling = _turned(rung, metric)
    sign = _sign(metric)
    overlap = 1 / (figures[0].shape[1] - 1)  # in K folds one is tested on and K - 1 are trained on
    claim = error(figures, sampling, overlap=overlap)
    deviation = np.sqrt(np.maximum(np.diag(claim) + claim[0, 0] - 2 * claim[0], 0))
    difference = value - value[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * scipy.special.ndtr(-np.abs(difference) / deviation)
    p[(difference == 0) & (deviation == 0)] = 1.0
    p_holm = np.ones(len(rung))
    p_holm[1:] = holm(p[1:])
    by_luck = np.array([each.by_chance.p(each.figures) for each in rung])
    belief, learnt = believed(rung, metric, seed), holm(by_luck)
    chosen = settle(belief) if np.nanmin(np.append(learnt, 1.0)) < LEVEL else 0
    best, alone = int(belief.mean.argmax()), np.sqrt(training_variance(figures))
    rows = []
    for i, each in enumerate(rung):
        low, high = sorted(sign * (difference[i] + side * Z * deviation[i]) for side in (-1, 1))
        rows.append(GridRow(
            cell=each.cell, metric=metric,
            figures={name: Interval(own.value, own.low, own.high) for name, own in each.figures.items()},
            seeds=len(figures[i]), sampling_deviation=float(np.sqrt(sampling[i, i])),
            seed_deviation=float(alone[i]) if len(figures[i]) > 1 else np.nan, difference=float(sign * difference[i]),
            difference_low=float(low), difference_high=float(high), p=float(p[i]), p_holm=float(p_holm[i]),
            expected=float(sign * belief.mean[i]), better=belief.better(i), luck=belief.luck, p_chance=float(learnt[i]),
            visible_chance=float(each.by_chance.level + (Z + FOUR_IN_FIVE) * each.by_chance.deviation),
            chance=each.by_chance.figure, epochs=each.epochs, seconds=each.seconds,
            tied=top and belief.better(best, i) < LIKELY, reference=i == 0, chosen=top and i == chosen,
        ))  # fmt: skip
    return rows


FOUR_IN_FIVE = 0.8416212335729143  # the 80 % point of the normal distribution


def _sign(metric: str) -> float:
    return -1.0 if metric in LOWER_IS_BETTER else 1.0


def _turned(rung: Sequence[Measured], metric: str) -> tuple[Floats, list[Floats], Floats]:
    """Mean and single figures by the metric, turned so that more is better, and the covariance over the patients."""
    figures = [_sign(metric) * each.figures[metric].values for each in rung]
    drawn = np.array([each.figures[metric].replicates for each in rung])
    drawn = drawn[:, np.isfinite(drawn).all(axis=0)]  # resamples without a class
    C = len(rung)
    sampling = np.cov(drawn).reshape(C, C) if drawn.shape[1] > C else np.full((C, C), np.nan)
    return np.array([each.mean() for each in figures]), figures, sampling
