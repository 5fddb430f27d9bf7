"""The table of a comparison: every cell's figures with their intervals, its paired differences, its cost, and the choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from evenray.core.errors import unknown_name
from evenray.core.types import Predictions
from evenray.metrics import LOWER_IS_BETTER, Spread, compare_spreads, measured, spread_apart

from ._cells import Cell

__all__ = ["SHOWN", "Measured", "check_metric", "grid", "measure", "merit"]

# What the grid holds of every cell: no threshold is chosen yet, so nothing that needs one.
SHOWN = ("auprc", "auroc", "sensitivity_at_specificity", "brier", "log_loss", "ece")
DIFFERENCES = ("difference", "difference_low", "difference_high", "p", "p_holm", "behind", "behind_p_holm")
RESAMPLES = 1000


@dataclass(frozen=True)
class Measured:
    """A cell as it was trained: its metrics over all seeds, the seconds, and the epochs of the rung it got to."""

    cell: Cell
    spreads: dict[str, Spread]
    seconds: float
    epochs: int


def check_metric(metric: str) -> None:
    """UsageError unless the comparison can rank by this metric."""
    if metric not in SHOWN:
        raise unknown_name("metric to compare by", metric, SHOWN)


def measure(cell: Cell, runs: Sequence[tuple[Predictions, float]], epochs: int, seed: int) -> Measured:
    """The metrics of a cell from the predictions and seconds of each seed's trainings."""
    found = [measured(predictions, seed=seed, resamples=RESAMPLES) for predictions, _ in runs]
    spreads = {name: Spread.of([each[name] for each in found]) for name in SHOWN}
    return Measured(cell, spreads, sum(seconds for _, seconds in runs), epochs)


def merit(found: Measured, metric: str) -> float:
    """The metric, turned so that more is better."""
    value = found.spreads[metric].value
    return -np.inf if np.isnan(value) else -value if metric in LOWER_IS_BETTER else value


def grid(climbs: Sequence[Sequence[Sequence[Measured]]], metric: str, seed: int = 0) -> pl.DataFrame:
    """One row a cell. `climbs` has for each imbalance the rungs that were climbed, each with its cells from the simplest on.

    A cell stands with the figures of the last rung that it got to, beside the others there; the simplest is in all of them,
    and the differences are to it. Tied are the cells of the highest rung that cannot be told from the best after Holm's
    correction; chosen is the simplest of the tied, of the first imbalance.
    """
    rows: list[dict[str, Any]] = []
    for climb in climbs:
        further: set[Cell] = set()
        for rung in reversed(climb):
            found = _rows(rung, metric, seed)
            for each, row in zip(rung, found, strict=True):
                if each.cell not in further:
                    rows.append(row | {"tied": row["tied"] and rung is climb[-1]})
            further |= {each.cell for each in rung}
    chosen = next(i for i, row in enumerate(rows) if row["tied"])
    return pl.DataFrame([row | {"chosen": i == chosen} for i, row in enumerate(rows)], infer_schema_length=None)


def _rows(rung: Sequence[Measured], metric: str, seed: int) -> list[dict[str, Any]]:
    """What is told of the cells that were trained alike."""
    spreads = {str(i): each.spreads[metric] for i, each in enumerate(rung)}
    compared = compare_spreads(spreads, metric, seed=seed)
    found = []
    for each, told in zip(rung, compared.iter_rows(named=True), strict=True):
        row: dict[str, Any] = {
            "contrast": each.cell.contrast, "balance": each.cell.balance, "network": each.cell.network,
            "imbalance": each.cell.imbalance, "metric": metric,
        }  # fmt: skip
        for name, spread in each.spreads.items():
            row |= {name: spread.value, f"{name}_low": spread.low, f"{name}_high": spread.high}
        apart = spread_apart(each.spreads[metric])
        row |= {
            "seeds": len(apart.values), "sampling_deviation": apart.sampling_deviation,
            "seed_deviation": apart.seed_deviation, "seed_low": apart.seed_low, "seed_high": apart.seed_high,
        }  # fmt: skip
        row |= {name: told[name] for name in DIFFERENCES}
        row |= {
            "epochs": each.epochs,
            "seconds": each.seconds,
            "tied": bool(told["tied"]),
            "reference": each is rung[0],
        }
        found.append(row)
    return found
