"""The stage that trains the final network, and what other stages share with it: prepared pixels, kept features, the model."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import atomic
from evenray.core.progress import watched
from evenray.core.types import Dataset
from evenray.data.store import Store, prepare, store_folder
from evenray.images.contrast import settled
from evenray.learning import balance as remedies
from evenray.learning import networks
from evenray.learning.balance import Balance
from evenray.learning.features import FeaturePart, compute, fit_head, views_of
from evenray.learning.plan import kept_side, native_side
from evenray.learning.predict.familiar import fit as familiarity
from evenray.learning.train import Part, Settings, batches_an_epoch, fit, statistics
from evenray.learning.train.order import seed_of

from .context import Context
from .team import sharing

if TYPE_CHECKING:
    from evenray.learning.train.alone import Machine

__all__ = ["kept_features", "learn", "model_of", "parts_of", "remedy_of", "stores_of", "train_network"]


def stores_of(
    context: Context, dataset: Dataset, contrasts: list[str], size: int, channels: int | None = None,
    folder: Path | None = None,
) -> dict[str, Store]:  # fmt: skip
    """The prepared pixels of a data set under some contrasts; made where they do not stand yet.

    `channels` are the plan's and `folder` the run's store unless they are given.
    """
    channels = context.plan.channels if channels is None else channels
    with context.progress.task("preparing images", len(dataset)) as tick:
        return prepare(
            dataset, contrasts, size=size, channels=channels, folder=folder or store_folder(context.folder),
            map=watched(context.map, tick, lambda work: len(work.cases)),
        )  # fmt: skip


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
        found[name] = (part, Part(store, rows, part.targets, part.cases["case"].to_list()))
    return found


def kept_features(
    context: Context, model: networks.Classifier, contrasts: list[str]
) -> tuple[NDArray[np.int64], dict[str, tuple[Store, ...]]]:
    """What a frozen trunk makes of all images but those of the test part: their rows in the data set, and the stores."""
    dataset, plan = context.dataset, context.plan
    rows = np.flatnonzero((dataset.cases["part"] != "test").to_numpy())
    views, found = views_of(context.recipe.flips), {}
    stores = stores_of(context, dataset, contrasts, plan.size)
    with context.progress.task("through the trunk", len(rows) * len(views) * len(contrasts)) as tick:
        for contrast, store in stores.items():
            found[contrast] = compute(model, store, rows, views, store_folder(context.folder), context.fabric, tick)
    return rows, found


def _kept_parts(context: Context, model: networks.Classifier, contrast: str) -> dict[str, FeaturePart]:
    rows, stores = kept_features(context, model, [contrast])
    found = {}
    for name in ("train", "validation"):
        own = np.flatnonzero((context.dataset.cases["part"] == name).to_numpy())
        found[name] = FeaturePart(stores[contrast], np.searchsorted(rows, own), context.dataset.part(name).targets)
    return found


def remedy_of(context: Context) -> tuple[Balance, NDArray[np.float64]]:
    """The chosen remedy, and the class prior of the training part."""
    counts = np.array(list(context.dataset.part("train").counts.values()))
    spec = context.folder.read_json("choice.json")["balance"]
    classes, positive = context.dataset.classes, context.dataset.positive
    return remedies.make(spec, counts, classes, positive, epochs=context.plan.epochs), counts / counts.sum()


def train_network(context: Context) -> list[str]:
    """The final network, on the training part; the validation part chooses the epoch where it is large enough."""
    model, history, train = learn(context)
    with atomic(context.folder / "model.safetensors", durable=True) as path:
        networks.save(model, path)
    choice, prior = context.folder.read_json("choice.json"), remedy_of(context)[1]
    dataset = context.dataset
    familiar = familiarity(dataset.part("train"))
    contrast, references = settled(choice["contrast"])
    about = {
        "classes": dataset.classes, "positive": dataset.positive, "contrast": contrast, "balance": choice["balance"],
        "prior": prior.tolist(), "value_range": dataset.facts.get("value_range"), "network": model.describe(),
        "counts": list(dataset.part("train").counts.values()), "scale": train.store.scale, "native": native_side(dataset),
        "familiar": None if familiar is None else familiar.as_json(),
        "references": {name: found.as_json() for name, found in references.items()},
    }  # fmt: skip
    context.folder.write_json("model.json", about)
    context.folder.write_table("history.csv", pl.DataFrame(history))
    checkpoints = _checkpoints(context)
    for former in checkpoints.parent.glob("*/"):
        if former != checkpoints:
            shutil.rmtree(former, ignore_errors=True)
    planned = context.plan.epochs * context.plan.members
    if len(history) < planned and not context.recipe.frozen:
        epochs = f"{context.plan.patience} epochs" if context.plan.patience > 1 else "an epoch"
        context.progress.say(
            f"stopped after {len(history)} of {planned} epochs: {epochs} brought no better validation AUPRC"
        )
    return ["model.safetensors", "model.json", "history.csv"]


def learn(context: Context) -> tuple[networks.Classifier, list[dict[str, float]], Part]:
    """The trained network, its history and the part that it learnt from; every process of a run does this.

    Of several members each has a seed, checkpoints and rows of the history of its own; the network is their average.
    """
    asked, several = context.recipe, context.plan.members
    contrast = context.folder.read_json("choice.json")["contrast"]
    parts = parts_of(context, contrast, ("train", "validation"), (asked.scale_jitter or (1.0, 1.0))[1])
    train, validation = parts["train"][1], parts["validation"][1]
    models, history = list[networks.Classifier](), list[dict[str, float]]()
    with _training(context) as fabric:
        for member in range(several):
            model, rows = _learn_member(context, train, validation, member, fabric)
            models.append(model)
            history += [{"member": member + 1, **row} for row in rows] if several > 1 else rows
    return networks.average(models), history, train


def _learn_member(
    context: Context, train: Part, validation: Part, member: int, fabric: Machine
) -> tuple[networks.Classifier, list[dict[str, float]]]:
    plan, choice, folder = context.plan, context.folder.read_json("choice.json"), _checkpoints(context)
    remedy = remedy_of(context)[0]
    model, settings = _fresh(context, choice.get("network") or plan.network, train, member)
    of = f" ({member + 1} of {plan.members})" if plan.members > 1 else ""
    steps = plan.epochs * batches_an_epoch(len(train), plan.batch)
    with context.progress.task(f"training {model.description['spec']}{of}", steps) as tick:
        if context.recipe.frozen:
            kept = _kept_parts(context, model, choice["contrast"])
            return fit_head(model, kept["train"], kept["validation"], settings, remedy, fabric, tick=lambda: tick(1))
        return fit(
            model, train, validation, settings, remedy, fabric,
            folder=folder / f"member-{member + 1}" if plan.members > 1 else folder,
            tick=lambda: tick(1), save_every=context.save_every,
        )  # fmt: skip


def _training(context: Context) -> AbstractContextManager[Machine]:
    """The processes that train; a head learns in seconds, and no other process is called for it."""
    return nullcontext(context.fabric) if context.recipe.frozen else sharing(context)


def _fresh(context: Context, network: str, train: Part, member: int) -> tuple[networks.Classifier, Settings]:
    """The network of a member before its training, and how to train it."""
    asked, plan = context.recipe, context.plan
    seed = asked.seed if member == 0 else seed_of(asked.seed, member)
    mean, std = (None, None) if asked.weights else statistics(train)
    model = networks.build(
        network, classes=len(context.dataset.classes), channels=plan.channels, size=plan.size, weights=asked.weights,
        seed=seed, mean=mean, std=std,
    )  # fmt: skip
    model = networks.freeze(model, asked.finetune)
    model.description["scale_jitter"] = asked.scale_jitter
    settings = Settings(
        plan.epochs, plan.batch, plan.learning_rate, seed, asked.flips, plan.keep, asked.scale_jitter,
        plan.patience, networks.fine_tuning(asked.finetune, len(model.network.blocks)).decay,
    )  # fmt: skip
    return model, settings


def _checkpoints(context: Context) -> Path:
    """Checkpoints of exactly this training; those of another recipe are not taken up."""
    key = context.key("checkpoints", [context.recipe.asked(), context.plan.choices()], ("scan", "split", "compare"))
    return context.folder / "checkpoints" / key[:16]


def model_of(context: Context) -> networks.Classifier:
    return networks.load(context.folder / "model.safetensors").to(context.fabric.device)
