"""The comparison: contrast x balance on out-of-fold predictions of the training and validation parts; test stays shut."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from lightning_fabric import Fabric
from numpy.typing import NDArray

from evenray import balance as remedies
from evenray import networks
from evenray.core.artefacts import atomic, digest
from evenray.core.types import Dataset, Predictions
from evenray.metrics import bootstrap, score
from evenray.plan import Plan
from evenray.predict import predictions
from evenray.splitting import folds
from evenray.store import Store
from evenray.train import Part, Settings, fit, forward, statistics

__all__ = ["Cell", "compare", "steps"]

SHOWN = ("auprc", "auroc", "brier", "ece")
RESAMPLES = 1000


@dataclass(frozen=True)
class Cell:
    """One cell of the grid."""

    contrast: str
    balance: str


def steps(plan: Plan, cells: int, cases: int) -> int:
    """Batches that a comparison trains on, for a progress bar; folds of unequal size may change it a little."""
    return cells * plan.compare_epochs * (plan.folds - 1) * -(-cases // plan.batch)


def compare(
    dataset: Dataset, group: NDArray[np.int64], stores: Mapping[str, Store], rows: NDArray[np.int64], cells: Sequence[Cell],
    plan: Plan, fabric: Fabric, *, folder: Path, seed: int = 0, flips: bool = False,
    note: Callable[[str], None] = lambda text: None, tick: Callable[[], None] = lambda: None,
) -> pl.DataFrame:  # fmt: skip
    """The grid, one row a cell: metrics with intervals, paired differences to the first cell, ties and the choice.

    `dataset` holds the cases to compare on (never the test part), `group` the group of each, `rows` their rows in the
    stores. Every case is predicted by a network that saw neither it nor its group. A finished cell is kept in `folder`
    and not computed again. The choice is the simplest cell that cannot be told from the best: simplest by the order in
    which the specs were given.
    """
    fold = folds(dataset, group, plan.folds, seed)
    found: list[tuple[Predictions, float]] = []
    for cell in cells:
        note(f"{cell.contrast} x {cell.balance}")
        found.append(_cell(dataset, fold, stores[cell.contrast], rows, cell, plan, fabric, folder, seed, flips, tick))
    return _grid(cells, found, plan)


def _cell(
    dataset: Dataset, fold: NDArray[np.int64], store: Store, rows: NDArray[np.int64], cell: Cell, plan: Plan, fabric: Fabric,
    folder: Path, seed: int, flips: bool, tick: Callable[[], None],
) -> tuple[Predictions, float]:  # fmt: skip
    settings = Settings(plan.compare_epochs, plan.batch, 1e-3, seed, flips)
    key = digest([cell.balance, plan.compare_network, store.name, rows.tolist(), settings.__dict__, fold.tolist(),
                  dataset.cases["case"].to_list(), dataset.cases["label"].to_list(), dataset.classes, dataset.positive,
                  fabric.device.type])  # fmt: skip
    path = folder / f"{key[:24]}.parquet"
    if path.exists():
        table = pl.read_parquet(path)
        return Predictions(table.drop("seconds"), dataset.classes, dataset.positive), float(table["seconds"][0])
    start = time.perf_counter()
    targets = dataset.targets
    pieces = []
    for held_out in np.unique(fold):
        train, test = np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out)
        counts = np.bincount(targets[train], minlength=len(dataset.classes))
        remedy = remedies.make(cell.balance, counts, dataset.classes, dataset.positive)
        part = Part(store, rows[train], targets[train])
        mean, std = statistics(part)
        model = networks.build(
            plan.compare_network, classes=len(dataset.classes), channels=plan.channels, size=plan.compare_size,
            seed=seed, mean=mean, std=std,
        )  # fmt: skip
        model, _ = fit(model, part, None, settings, remedy, fabric, tick=tick)
        logits = forward(model, Part(store, rows[test], targets[test]), plan.batch, fabric)
        mask = pl.Series(np.isin(np.arange(len(dataset)), test))
        held = Dataset(dataset.cases.filter(mask), dataset.classes, dataset.positive, dataset.root)
        pieces.append(predictions(held, logits, remedy, counts / counts.sum()).table)
    table = dataset.cases.select("case").join(pl.concat(pieces), on="case", maintain_order="left")
    seconds = time.perf_counter() - start
    with atomic(path) as temporary:
        table.with_columns(seconds=pl.lit(seconds)).write_parquet(temporary)
    return Predictions(table, dataset.classes, dataset.positive), seconds


def _grid(cells: Sequence[Cell], found: Sequence[tuple[Predictions, float]], plan: Plan) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    replicates = [bootstrap(predicted, resamples=RESAMPLES)["auprc"] for predicted, _ in found]
    for cell, (predicted, seconds), spread in zip(cells, found, replicates, strict=True):
        scores = score(predicted, resamples=RESAMPLES)
        row: dict[str, Any] = {"contrast": cell.contrast, "balance": cell.balance, "network": plan.compare_network}
        for name in SHOWN:
            estimate = scores.estimates[name]
            row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        low, high = np.nanpercentile(spread - replicates[0], [2.5, 97.5])
        row |= {"difference_low": float(low), "difference_high": float(high), "seconds": seconds}
        rows.append(row)
    best = int(np.argmax([row["auprc"] for row in rows]))
    for row, spread in zip(rows, replicates, strict=True):
        row["difference"] = row["auprc"] - rows[0]["auprc"]
        behind = np.nanpercentile(replicates[best] - spread, 2.5)
        row["tied"] = bool(behind <= 0)
    chosen = next(i for i, row in enumerate(rows) if row["tied"])
    for i, row in enumerate(rows):
        row["chosen"] = i == chosen
    return pl.DataFrame(rows)
