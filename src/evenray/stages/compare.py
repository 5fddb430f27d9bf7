"""The stage that compares contrasts, remedies and networks on the training and validation parts, and chooses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.progress import plain
from evenray.core.types import Dataset
from evenray.data.split import folds, groups, share
from evenray.data.store import Store
from evenray.evidence.compare import Cell, Setup, compare, out_of_fold, trainings
from evenray.learning import networks
from evenray.learning.plan.comparison import WHOLE
from evenray.learning.train import Settings

from .audit import OUT_OF_FOLD
from .context import Context
from .train import kept_features, stores_of

__all__ = ["compare_cells"]

METRICS = {
    "auprc": "AUPRC", "auroc": "AUROC", "sensitivity_at_specificity": "sensitivity at 95 % specificity", "brier": "Brier score",
    "log_loss": "log loss", "ece": "ECE",
}  # fmt: skip


def compare_cells(context: Context) -> list[str]:
    """The grid on the training and validation parts; with one cell there is nothing to compare."""
    asked, plan = context.recipe, context.plan
    cells = [
        Cell(contrast, balance, network, imbalance)
        for imbalance in asked.imbalances or ("own",)
        for network in plan.compare_networks
        for contrast in asked.contrasts
        for balance in asked.balances
    ]
    if len(cells) == 1 and not asked.imbalances:
        for former in ("grid.parquet", OUT_OF_FOLD):
            (context.folder / former).unlink(missing_ok=True)
        return _choose(context, {"contrast": cells[0].contrast, "balance": cells[0].balance}, "as asked")
    setup, halving = _setup(context), plan.search == "halving"
    alike = len(cells) // max(len(asked.imbalances), 1)
    total = trainings(alike, plan.folds, asked.seeds, plan.compare_epochs, halving) * max(len(asked.imbalances), 1)
    workers = map if setup.frozen or context.fabric.device.type != "cpu" else context.map
    with context.progress.task("comparing (trainings)", total) as tick:
        grid = compare(
            cells, setup, context.folder / "compare", metric=asked.metric, halving=halving, map=workers, tick=tick
        )
    context.folder.write_table("grid.parquet", grid)
    chosen = grid.filter(pl.col("chosen")).row(0, named=True)
    own = grid.filter(pl.col("imbalance") == chosen["imbalance"])
    why = f"the simplest of the {own['tied'].sum()} cells of {own.height} that cannot be told from the best by {METRICS[asked.metric]}"
    if chosen["imbalance"] != "own":
        why += f", at an imbalance of {chosen['imbalance']}"
    cell = Cell(*(chosen[name] for name in ("contrast", "balance", "network", "imbalance")))
    context.folder.write_table(OUT_OF_FOLD, out_of_fold(cell, setup, context.folder / "compare", chosen["epochs"]))
    names = ("contrast", "balance", "network") if len(asked.networks) > 1 else ("contrast", "balance")
    _choose(context, {name: chosen[name] for name in names}, why)
    context.progress.say(plain(f"chosen: {', '.join(f'{name} {chosen[name]}' for name in names)}: {why}"))
    return ["grid.parquet", "choice.json", OUT_OF_FOLD]


def _choose(context: Context, chosen: dict[str, Any], why: str) -> list[str]:
    context.folder.write_json("choice.json", chosen | {"why": why})
    return ["choice.json"]


def _setup(context: Context) -> Setup:
    """What all cells share; where the trunk is frozen, the features of all cases that are not of the test part."""
    asked, plan = context.recipe, context.plan
    contrasts = list(dict.fromkeys(asked.contrasts))
    dataset, group = _to_compare(context)
    stores: dict[str, tuple[Store, ...]]
    rows: NDArray[np.int64] = np.arange(len(dataset))
    if asked.frozen:
        model = networks.build(
            plan.network, classes=len(dataset.classes), channels=plan.channels, size=plan.size, weights=asked.weights
        )
        stores = kept_features(context, networks.freeze(model, asked.finetune), contrasts)[1]
    else:
        stores = {c: (s,) for c, s in stores_of(context, dataset, contrasts, plan.compare_size).items()}
    own = asked.frozen or plan.compare_networks == asked.networks
    settings = Settings(
        plan.compare_epochs, plan.batch, plan.learning_rate if own else 1e-3, asked.seed, asked.flips,
        decay=networks.fine_tuning(asked.finetune).decay if own else 1.0,
    )  # fmt: skip
    return Setup(
        dataset=dataset, group=group, fold=folds(dataset, group, plan.folds, asked.seed), stores=stores, rows=rows,
        settings=settings, channels=plan.channels, size=plan.compare_size, device=str(context.fabric.device),
        seeds=asked.seeds, weights=asked.weights if own else None, finetune=asked.finetune if own else "all",
        frozen=asked.frozen,
    )  # fmt: skip


def _to_compare(context: Context) -> tuple[Dataset, NDArray[np.int64]]:
    """The cases of the comparison with their groups: never the test part, and of many a stratified share of the groups."""
    whole = context.dataset
    dataset = replace(whole, cases=whole.cases.filter(pl.col("part") != "test"))
    group = groups(dataset, context.near)
    fraction = context.plan.compare_cases / len(dataset)
    if fraction > WHOLE:
        return dataset, group
    taken = share(dataset, group, fraction, context.plan.folds, context.recipe.seed)
    return replace(dataset, cases=dataset.cases.filter(pl.Series(taken))), group[taken]
