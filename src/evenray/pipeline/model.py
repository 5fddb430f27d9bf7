"""The stages that train: compare and train."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray import balance as remedies
from evenray import networks
from evenray.balance import Balance
from evenray.compare import Cell, compare, steps
from evenray.core.artefacts import atomic
from evenray.core.progress import plain, watched
from evenray.core.types import Dataset
from evenray.plan import kept_side, native_side
from evenray.predict.familiar import fit as familiarity
from evenray.splitting import groups, share
from evenray.store import Store, prepare, store_folder
from evenray.train import Part, Settings, batches_an_epoch, fit, statistics

from .context import Context

__all__ = ["compare_cells", "model_of", "parts_of", "remedy_of", "stores_of", "train_network"]


def stores_of(
    context: Context, dataset: Dataset, contrasts: list[str], size: int, channels: int | None = None
) -> dict[str, Store]:
    """The prepared pixels of a data set under some contrasts; made where they do not stand yet.

    `channels` are the plan's unless they are given.
    """
    channels = context.plan.channels if channels is None else channels
    with context.progress.task("preparing images", len(dataset)) as tick:
        return prepare(
            dataset, contrasts, size=size, channels=channels, folder=store_folder(context.folder),
            map=watched(context.map, tick, lambda work: len(work.cases)),
        )  # fmt: skip


def compare_cells(context: Context) -> list[str]:
    """The grid on the training and validation parts; with one cell there is nothing to compare."""
    asked, plan = context.recipe, context.plan
    cells = [Cell(contrast, balance) for contrast in asked.contrasts for balance in asked.balances]
    if len(cells) == 1:
        (context.folder / "grid.parquet").unlink(missing_ok=True)  # of an earlier recipe
        context.folder.write_json(
            "choice.json", {"contrast": cells[0].contrast, "balance": cells[0].balance, "why": "as asked"}
        )
        return ["choice.json"]
    # The order of the specs is their simplicity: none first, wherever the user wrote it.
    cells.sort(key=lambda cell: (cell.contrast != "none") + (cell.balance != "none"))
    dataset, group = _to_compare(context)
    stores = stores_of(context, dataset, list(dict.fromkeys(asked.contrasts)), plan.compare_size)
    with context.progress.task("comparing", steps(plan, len(cells), len(dataset))) as tick:
        grid = compare(
            dataset, group, stores, np.arange(len(dataset)), cells, plan, context.fabric,
            folder=context.folder / "compare", seed=asked.seed, flips=asked.flips, tick=lambda: tick(1),
        )  # fmt: skip
    context.folder.write_table("grid.parquet", grid)
    chosen = grid.filter(pl.col("chosen")).row(0, named=True)
    why = f"the simplest of the {grid['tied'].sum()} cells of {grid.height} that cannot be told from the best by AUPRC"
    context.folder.write_json("choice.json", {"contrast": chosen["contrast"], "balance": chosen["balance"], "why": why})
    context.progress.say(plain(f"chosen: contrast {chosen['contrast']}, balance {chosen['balance']}: {why}"))
    return ["grid.parquet", "choice.json"]


def _to_compare(context: Context) -> tuple[Dataset, NDArray[np.int64]]:
    """The cases of the comparison with their groups: never the test part, and of many a stratified share of the groups."""
    whole = context.dataset
    dataset = replace(whole, cases=whole.cases.filter(pl.col("part") != "test"))
    group = groups(dataset, context.near)
    fraction = context.plan.compare_cases / len(dataset)
    if fraction > 0.5:
        return dataset, group
    taken = share(dataset, group, fraction, context.plan.folds, context.recipe.seed)
    return replace(dataset, cases=dataset.cases.filter(pl.Series(taken))), group[taken]


def parts_of(
    context: Context, contrast: str, names: tuple[str, ...], scale: float = 1.0
) -> dict[str, tuple[Dataset, Part]]:
    """Parts of the data with their prepared pixels, kept `scale` times as large as the network's, where files are."""
    dataset, size = context.dataset, context.plan.size
    side = kept_side(size, native_side(dataset), scale)
    store = stores_of(context, dataset, [contrast], side)[contrast]
    found = {}
    for name in names:
        rows = np.flatnonzero((dataset.cases["part"] == name).to_numpy())
        part = dataset.part(name)
        found[name] = (part, Part(store, rows, part.targets, part.cases["case"]))
    return found


def remedy_of(context: Context) -> tuple[Balance, NDArray[np.float64]]:
    """The chosen remedy, and the class prior of the training part."""
    counts = np.array(list(context.dataset.part("train").counts.values()))
    spec = context.folder.read_json("choice.json")["balance"]
    return remedies.make(spec, counts, context.dataset.classes, context.dataset.positive), counts / counts.sum()


def train_network(context: Context) -> list[str]:
    """The final network, on the training part; the validation part chooses the epoch where it is large enough."""
    asked, plan = context.recipe, context.plan
    choice = context.folder.read_json("choice.json")
    parts = parts_of(context, choice["contrast"], ("train", "validation"), (asked.scale_jitter or (1.0, 1.0))[1])
    train, validation = parts["train"][1], parts["validation"][1]
    remedy, prior = remedy_of(context)
    mean, std = (None, None) if asked.weights else statistics(train)
    model = networks.build(
        plan.network, classes=len(context.dataset.classes), channels=plan.channels, size=plan.size, weights=asked.weights,
        seed=asked.seed, mean=mean, std=std,
    )  # fmt: skip
    model.description["scale_jitter"] = asked.scale_jitter
    settings = Settings(
        plan.epochs,
        plan.batch,
        plan.learning_rate,
        asked.seed,
        asked.flips,
        plan.keep,
        asked.scale_jitter,
        plan.patience,
    )
    checkpoints = _checkpoints(context)
    steps = plan.epochs * batches_an_epoch(len(train), plan.batch)
    with context.progress.task(f"training {plan.network}", steps) as tick:
        model, history = fit(
            model, train, validation, settings, remedy, context.fabric, folder=checkpoints, tick=lambda: tick(1)
        )
    with atomic(context.folder / "model.safetensors") as path:
        networks.save(model, path)
    dataset = context.dataset
    familiar = familiarity(dataset.part("train").cases)
    about = {
        "classes": dataset.classes, "positive": dataset.positive, "contrast": choice["contrast"], "balance": choice["balance"],
        "prior": prior.tolist(), "levels": dataset.facts.get("levels"), "network": model.describe(),
        "counts": list(dataset.part("train").counts.values()), "scale": train.store.scale, "native": native_side(dataset),
        "familiar": None if familiar is None else familiar.as_json(),
    }  # fmt: skip
    context.folder.write_json("model.json", about)
    context.folder.write_table("history.csv", pl.DataFrame(history))
    for former in checkpoints.parent.glob("*/"):
        if former != checkpoints:
            shutil.rmtree(former, ignore_errors=True)
    return ["model.safetensors", "model.json", "history.csv"]


def _checkpoints(context: Context) -> Path:
    """Checkpoints of exactly this training; those of another recipe are not taken up."""
    key = context.key("checkpoints", [context.recipe.asked(), context.plan.choices()], ("scan", "split", "compare"))
    return context.folder / "checkpoints" / key[:16]


def model_of(context: Context) -> networks.Classifier:
    return networks.load(context.folder / "model.safetensors").to(context.fabric.device)
