"""The table of a comparison: every cell's figures with their intervals, its paired differences, its cost, and the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evenray.core.errors import DataError, unknown_name
from evenray.core.types import Predictions
from evenray.metrics import LOWER_IS_BETTER, Spread, compare_spreads, measured_by_task, spread_apart

from ._cells import Cell

__all__ = ["SHOWN", "Grid", "GridRow", "Interval", "Measured", "check_metric", "grid", "measure", "merit"]

# The metrics of the grid: none that needs a threshold, which is not chosen yet.
SHOWN = ("auprc", "auroc", "sensitivity_at_specificity", "brier", "log_loss", "ece")
RESAMPLES = 1000


@dataclass(frozen=True)
class Measured:
    """A trained cell: its metrics over all seeds, the seconds, and the epochs of its last rung."""

    cell: Cell
    spreads: dict[str, Spread]
    seconds: float
    epochs: int


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class GridRow:
    """A cell beside the others: its figures by the names of SHOWN, and by `metric` the two sources of variance (see
    SeedSpread), the differences to the reference and to the best (behind), and what follows from them."""

    cell: Cell
    metric: str
    figures: Mapping[str, Interval]
    seeds: int
    sampling_deviation: float
    seed_deviation: float
    seed_low: float
    seed_high: float
    difference: float
    difference_low: float
    difference_high: float
    p: float
    p_holm: float
    behind: float
    behind_p_holm: float
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
        figures = {name: Interval(*(row[f"{name}{end}"] for end in ("", "_low", "_high"))) for name in SHOWN}
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


def check_metric(metric: str) -> None:
    """UsageError unless the comparison can rank by this metric."""
    if metric not in SHOWN:
        raise unknown_name("metric to compare by", metric, SHOWN)


def measure(cell: Cell, runs: Sequence[tuple[Predictions, float]], epochs: int, seed: int) -> Measured:
    """The metrics of a cell from the predictions and seconds of each seed's trainings."""
    found = [measured_by_task(predictions, seed=seed, resamples=RESAMPLES) for predictions, _ in runs]
    spreads = {name: Spread.of([each[name] for each in found]) for name in SHOWN}
    return Measured(cell, spreads, sum(seconds for _, seconds in runs), epochs)


def merit(found: Measured, metric: str) -> float:
    """The metric, turned so that more is better."""
    value = found.spreads[metric].value
    return -np.inf if np.isnan(value) else -value if metric in LOWER_IS_BETTER else value


def grid(climbs: Sequence[Sequence[Sequence[Measured]]], metric: str, seed: int = 0) -> Grid:
    """One row a cell. `climbs` has for each imbalance the rungs that were climbed, each with its cells from the simplest on.

    A cell has the figures of its last rung, compared with the other cells there; the simplest is in all of them,
    and the differences are to it. Tied are the cells of the highest rung that cannot be told from the best after Holm's
    correction; chosen is the simplest of the tied, of the first imbalance.
    """
    rows: list[GridRow] = []
    for climb in climbs:
        further: set[Cell] = set()
        for rung in reversed(climb):
            found = [row for row in _rows(rung, metric, seed) if row.cell not in further]
            rows += [replace(row, tied=row.tied and rung is climb[-1]) for row in found]
            further |= {each.cell for each in rung}
    chosen = next(i for i, row in enumerate(rows) if row.tied)
    return Grid(tuple(replace(row, chosen=i == chosen) for i, row in enumerate(rows)))


def _rows(rung: Sequence[Measured], metric: str, seed: int) -> list[GridRow]:
    """The rows of cells that were trained alike."""
    spreads = {str(i): each.spreads[metric] for i, each in enumerate(rung)}
    compared = compare_spreads(spreads, metric, seed=seed)
    found = []
    for each, told in zip(rung, compared.iter_rows(named=True), strict=True):
        apart = spread_apart(each.spreads[metric])
        found.append(GridRow(
            cell=each.cell, metric=metric,
            figures={name: Interval(spread.value, spread.low, spread.high) for name, spread in each.spreads.items()},
            seeds=len(apart.values), sampling_deviation=apart.sampling_deviation, seed_deviation=apart.seed_deviation,
            seed_low=apart.seed_low, seed_high=apart.seed_high, difference=told["difference"],
            difference_low=told["difference_low"], difference_high=told["difference_high"], p=told["p"],
            p_holm=told["p_holm"], behind=told["behind"], behind_p_holm=told["behind_p_holm"], epochs=each.epochs,
            seconds=each.seconds, tied=bool(told["tied"]), reference=each is rung[0],
        ))  # fmt: skip
    return found
