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
from evenray.core.threads import one_blas_thread
from evenray.core.types import Predictions
from evenray.learning.tasks import task_of, tasks
from evenray.metrics import LOWER_IS_BETTER, holm
from evenray.metrics.clustered import reach

from ._cells import Cell
from ._choice import Posterior, apart, come_through, error, posterior, settle, training_variance
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
    `p_holm` is corrected for all cells that were tried at its imbalance, those that halving stopped too. `p_chance` asks whether it
    is better than chance, corrected likewise; `visible_chance` is what would have
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


def believed(climb: Sequence[Sequence[Measured]], metric: str, seed: int = 0) -> Posterior:
    """What is believed of the cells of the last rung after all of them were measured, turned so that more is better.

    A cell whose figure is unknown is believed to be worth nothing. Cells that came through earlier rungs were the best there on the
    same patients: luck has them come through too.
    """
    *earlier, rung = climb
    value, figures, sampling = _turned(rung, metric)
    known = np.flatnonzero(np.isfinite(value)).tolist()
    mean = np.full(len(rung), -np.inf)
    if len(known) == 0:
        return Posterior(mean, np.zeros((1, len(rung))), 1.0)
    names = [[getattr(rung[i].cell, name) for i in known] for name in ("contrast", "balance", "network")]
    covariance = error([figures[i] for i in known], sampling[np.ix_(known, known)])
    alike = None
    if earlier:
        counts = [len(each) for each in climb]
        together = [_kept(each, rung, metric) for each in earlier]
        alike = come_through(counts, together, seed)[:, known]
    with one_blas_thread():
        found = posterior(value[known], covariance, names, alike=alike, seed=seed)
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
        corrected = _corrected(climb, metric)
        for number, rung in reversed(list(enumerate(climb, 1))):
            top = rung is climb[-1]
            found = [row for row in _rows(climb[:number], metric, corrected, seed, top=top) if row.cell not in further]
            rows += found if climb is climbs[0] else [replace(row, chosen=False) for row in found]
            further |= {each.cell for each in rung}
    return Grid(tuple(rows))


def _claims(rung: Sequence[Measured], metric: str) -> tuple[Floats, Floats, Floats]:
    """The differences to the simplest cell, turned so that more is better, their standard deviations, and p."""
    value, figures, sampling = _turned(rung, metric)
    overlap = 1 / (figures[0].shape[1] - 1)  # in K folds one is tested on and K - 1 are trained on
    claim = error(figures, sampling, overlap=overlap)
    deviation = np.sqrt(np.maximum(np.diag(claim) + claim[0, 0] - 2 * claim[0], 0))
    difference = value - value[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * scipy.special.stdtr(_freedom(rung, metric), -np.abs(difference) / deviation)
    p[(difference == 0) & (deviation == 0)] = 1.0
    return difference, deviation, p


def _freedom(rung: Sequence[Measured], metric: str) -> float:
    """The degrees of freedom of deviations over the patients."""
    return min(each.figures[metric].freedom for each in rung)


def _corrected(climb: Sequence[Sequence[Measured]], metric: str) -> dict[Cell, tuple[float, float]]:
    """p of the claim against the simplest cell, and against chance, of each cell's last rung, corrected for all that were tried:
    those that go further are taken for what they showed on these same patients."""
    last = dict[Cell, tuple[float, float]]()
    for rung in climb:
        claimed = _claims(rung, metric)[2].tolist()
        last |= {each.cell: (p, each.by_chance.p(each.figures)) for each, p in zip(rung, claimed, strict=True)}
    claims, learnt = np.array(list(last.values())).T
    return dict(zip(last, zip([1.0, *holm(claims[1:])], holm(learnt), strict=True), strict=True))


def _kept(earlier: Sequence[Measured], rung: Sequence[Measured], metric: str) -> float:
    """How far a cell's lead in an earlier rung goes with that in this one by the patients alone: a correlation, 1 where unknown."""
    there = [each for each in earlier if each.cell in {own.cell for own in rung}]
    errors, leads = [], []
    for each in (there, rung):
        _, figures, sampling = _turned(each, metric)
        errors.append(apart(error(figures, sampling)))
        drawn = np.array([own.figures[metric].replicates for own in each])
        leads.append(drawn - drawn.mean(axis=0))
    one, other = (lead[:, np.isfinite(leads).all(axis=(0, 1))] for lead in leads)
    common = np.mean([np.cov(*pair)[0, 1] for pair in zip(one, other, strict=True)]) * len(rung) / (len(rung) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = common / np.sqrt(np.prod([np.diag(own).mean() for own in errors]))
    return float(np.clip(found, 0, 1)) if np.isfinite(found) else 1.0


def _rows(
    climb: Sequence[Sequence[Measured]], metric: str, corrected: Mapping[Cell, tuple[float, float]], seed: int, *, top: bool
) -> list[GridRow]:  # fmt: skip
    """The rows of cells that were trained alike, those of the last rung."""
    rung, sign = climb[-1], _sign(metric)
    _, figures, sampling = _turned(rung, metric)
    difference, deviation, p = _claims(rung, metric)
    belief = believed(climb, metric, seed)
    learnt = np.nanmin([1.0, *(by_chance for _, by_chance in corrected.values())]) < LEVEL
    chosen = settle(belief) if learnt else 0
    reaches = reach(_freedom(rung, metric))
    best, alone = int(belief.mean.argmax()), np.sqrt(training_variance(figures))
    rows = []
    for i, each in enumerate(rung):
        low, high = sorted(sign * (difference[i] + side * reaches * deviation[i]) for side in (-1, 1))
        rows.append(GridRow(
            cell=each.cell, metric=metric,
            figures={name: Interval(own.value, own.low, own.high) for name, own in each.figures.items()},
            seeds=len(figures[i]), sampling_deviation=float(np.sqrt(sampling[i, i])),
            seed_deviation=float(alone[i]) if len(figures[i]) > 1 else np.nan, difference=float(sign * difference[i]),
            difference_low=float(low), difference_high=float(high), p=float(p[i]), p_holm=float(corrected[each.cell][0]),
            expected=float(sign * belief.mean[i]), better=belief.better(i), luck=belief.luck, p_chance=float(corrected[each.cell][1]),
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
