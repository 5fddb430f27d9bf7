"""The cells of the grid, and the trainings of each: one for every seed and fold."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenray.core.artefacts import atomic, digest, version
from evenray.core.artefacts.contents import contents_of_file
from evenray.core.spec import parse
from evenray.core.types import Dataset, Predictions
from evenray.data.store import Store
from evenray.images.contrast import contrasts
from evenray.learning import balance as remedies
from evenray.learning import networks
from evenray.learning.balance import Balance
from evenray.learning.features import FeaturePart, fit_head
from evenray.learning.linear_head import VARIANCE
from evenray.learning.networks.anatomy import anatomy, totals
from evenray.learning.tasks import network, task_of
from evenray.learning.tasks.question import Target
from evenray.learning.train import Settings, examples, fit, forward, keep_malloc, machine, statistics
from evenray.learning.train.alone import Machine

__all__ = ["Cell", "Fold", "Setup", "folds_of", "out_of_fold", "predicted", "simplest_first", "train_fold"]

Indices = NDArray[np.int64]
OWN = "own"


@dataclass(frozen=True)
class Cell:
    """One cell of the grid; `imbalance` is the ratio that the training folds are thinned to, "own" for none."""

    contrast: str
    balance: str
    network: str
    imbalance: str = OWN


@dataclass(frozen=True)
class Setup:
    """What all cells of a comparison share.

    `dataset` holds the cases to compare on (never the test part), `group` and `fold` give for each the group that must stay
    in one fold and the fold that it is held out in, `rows` are their rows in the stores. `stores` has, for each contrast,
    the pixels; where the trunk is `frozen`, the features that it made of them, one store a view. `settings` are those of a
    whole training; its seed is the first of `seeds`.
    """

    dataset: Dataset
    group: Indices
    fold: Indices
    stores: Mapping[str, tuple[Store, ...]]
    rows: Indices
    settings: Settings
    channels: int
    size: int
    device: str
    seeds: int = 1
    weights: str | None = None
    finetune: str = "all"
    frozen: bool = False
    patches: int = 1

    @cached_property
    def weights_content(self) -> str:
        """What stands for the weights in the names of what is kept: another file of the same name is not taken for the first."""
        return contents_of_file(self.weights or "")


@dataclass(frozen=True)
class Fold:
    """One training: everything that a process needs for it, and where what is told of the held-out cases is kept."""

    path: str
    stores: tuple[Store, ...]
    train: Indices  # rows of the stores
    targets: Indices
    held: Indices
    cases: tuple[str, ...]  # names of the held-out ones
    classes: tuple[str, ...]
    positive: str
    balance: str
    network: str
    channels: int
    size: int
    weights: str | None
    finetune: str
    frozen: bool
    settings: Settings
    device: str
    patches: int


def folds_of(cell: Cell, setup: Setup, folder: Path, epochs: int) -> list[list[Fold]]:
    """The trainings of a cell: for each seed, one for each fold."""
    return [
        [_fold(cell, setup, folder, epochs, setup.settings.seed + s, held_out) for held_out in np.unique(setup.fold)]
        for s in range(setup.seeds)
    ]


def _fold(cell: Cell, setup: Setup, folder: Path, epochs: int, seed: int, held_out: int) -> Fold:
    dataset, task = setup.dataset, task_of(setup.dataset.facts.task)
    targets = task.targets(dataset)
    train, held = _train_rows(cell, setup, seed, held_out), np.flatnonzero(setup.fold == held_out)
    settings = replace(setup.settings, epochs=epochs, seed=seed)
    remedy = task.remedy(cell.balance, targets[train], dataset.classes, dataset.positive)
    balance = "none" if remedy.plain else cell.balance  # as none, whatever its threshold does
    stores = setup.stores[cell.contrast]
    key = digest([balance, cell.network, [store.name for store in stores], setup.rows[train].tolist(),
                  setup.rows[held].tolist(), targets[train].tolist(), asdict(settings), dataset.classes, dataset.positive,
                  setup.channels, setup.size, setup.weights_content, setup.finetune, torch.device(setup.device).type,
                  setup.patches, version(), *([VARIANCE] if setup.frozen else [])])  # fmt: skip
    return Fold(
        path=str(folder / f"{key[:24]}.npz"), stores=stores, train=setup.rows[train], targets=targets[train],
        held=setup.rows[held], cases=tuple(dataset.cases["case"].gather(held)), classes=dataset.classes,
        positive=dataset.positive, balance=balance,
        network=cell.network, channels=setup.channels, size=setup.size, weights=setup.weights, finetune=setup.finetune,
        frozen=setup.frozen, settings=settings, device=setup.device, patches=setup.patches,
    )  # fmt: skip


def _train_rows(cell: Cell, setup: Setup, seed: int, held_out: int) -> Indices:
    """The cases that a fold trains on; thinned, where the cell asks for it, by a draw of whole groups that is the seed's."""
    train = np.flatnonzero(setup.fold != held_out)
    if cell.imbalance == OWN:
        return train
    patients = np.unique(setup.group[train], return_inverse=True)[1].astype(np.int64)
    positive = setup.dataset.classes.index(setup.dataset.positive)
    ratio = remedies.parse_ratio(cell.imbalance)
    return train[remedies.thin(setup.dataset.targets[train], patients, positive, ratio, seed)]


def train_fold(work: Fold) -> float:
    """Train on the other folds, predict the held-out one and keep what is told of it; returns the seconds that this took."""
    start = time.perf_counter()
    keep_malloc()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", remedies.DoubleCorrectionWarning)  # who asked was told
        told = _head(work) if work.frozen else _whole(work)
    seconds = time.perf_counter() - start
    with atomic(Path(work.path)) as temporary, temporary.open("wb") as out:
        np.savez(out, told=told, seconds=seconds, cases=np.array(work.cases))
    return seconds


@cache
def _machine(device: str) -> Machine:
    return machine(device)


def _remedy(work: Fold) -> Balance:
    task, epochs = task_of(work.settings.task), work.settings.epochs
    return task.remedy(work.balance, work.targets, work.classes, work.positive, epochs=epochs).balance


def _whole(work: Fold) -> NDArray[Any]:
    part = examples(work.settings.task, work.stores[0], work.train, work.targets).repeated(work.patches)
    mean, std = (None, None) if work.weights else statistics(part)
    model = network(
        work.settings.task, work.network, work.classes, channels=work.channels, size=work.size, pretrained=work.weights,
        seed=work.settings.seed, mean=mean, std=std,
    )  # fmt: skip
    model, fabric = networks.freeze(model, work.finetune), _machine(work.device)
    model, _ = fit(model, part, None, work.settings, _remedy(work), fabric)
    held = examples(work.settings.task, work.stores[0], work.held, np.zeros(len(work.held), np.int64))
    return forward(model, held, work.settings.batch, fabric)


def _head(work: Fold) -> NDArray[np.float64]:
    """As `_whole`, on what the frozen trunk made of the images."""
    model = _with_fresh_head(work)
    fabric = machine(work.device, precision="32-true")
    model, _ = fit_head(
        model, FeaturePart(work.stores, work.train, work.targets), None, work.settings, _remedy(work), fabric
    )
    held = FeaturePart(work.stores, work.held, np.zeros(len(work.held), np.int64))
    return forward(model, held, work.settings.batch, fabric)


def _with_fresh_head(work: Fold) -> networks.Classifier:
    """The network with the head that this seed gives; its trunk is read from the file once."""
    model, heads = _started(
        work.settings.task,
        work.network,
        work.classes,
        work.channels,
        work.size,
        work.weights,
        work.finetune,
        work.settings.seed,
    )
    for name, state in heads.items():
        model.network.get_submodule(name).load_state_dict(state)
    return model


@lru_cache(maxsize=4)
def _started(
    task: str,
    spec: str,
    classes: tuple[str, ...],
    channels: int,
    size: int,
    weights: str | None,
    finetune: str,
    seed: int,
) -> tuple[networks.Classifier, dict[str, dict[str, torch.Tensor]]]:
    model = network(task, spec, classes, channels=channels, size=size, pretrained=weights, seed=seed)
    named = {name: model.network.get_submodule(name).state_dict() for name in model.network.head_modules}
    heads = {name: {key: tensor.clone() for key, tensor in state.items()} for name, state in named.items()}
    return networks.freeze(model, finetune), heads


def predicted(cell: Cell, setup: Setup, works: Sequence[Fold]) -> tuple[Predictions, float]:
    """The out-of-fold predictions of one seed's trainings, in the order of the cases, and the seconds that they took.

    Probabilities are at the prior of the training folds before thinning, so that figures show what thinning does to the
    network and not the prevalence that it makes.
    """
    dataset, pieces, seconds = setup.dataset, list[Predictions](), 0.0
    task = task_of(dataset.facts.task)
    targets = task.targets(dataset)
    for work, held_out in zip(works, np.unique(setup.fold), strict=True):
        with np.load(work.path) as kept:
            told, seconds = kept["told"], seconds + float(kept["seconds"])
        held = replace(dataset, cases=dataset.cases.filter(pl.Series(setup.fold == held_out)))
        asked = task.remedy(cell.balance, work.targets, dataset.classes, dataset.positive).questions
        target: Target = [None] * len(asked)
        if cell.imbalance != OWN:
            whole = task.remedy("none", targets[setup.fold != held_out], dataset.classes, dataset.positive)
            target = [question.prior for question in whole.questions]
        p = task.probabilities(asked, told, [None] * len(asked), target)
        pieces.append(task.predictions(held, told, p))
    every = pl.concat([piece.table for piece in pieces])
    table = dataset.cases.select("case").join(every, on="case", maintain_order="left")
    return replace(pieces[0], table=table), seconds


def out_of_fold(cell: Cell, setup: Setup, folder: Path, epochs: int) -> pl.DataFrame:
    """The out-of-fold predictions of a cell as a table; probabilities and logits are means over the seeds. Of masks and
    boxes, whose outputs cannot be averaged, those of the first seed."""
    tables = [predicted(cell, setup, folds)[0].table for folds in folds_of(cell, setup, folder, epochs)]
    names = [name for name in tables[0].columns if name.startswith(("p_", "logit_"))]
    means = [pl.mean_horizontal([table[name] for table in tables]).alias(name) for name in names]
    return tables[0].with_columns(means)


def simplest_first(cells: Sequence[Cell], channels: int = 1, size: int = 224) -> list[Cell]:
    """The cells from the simplest on, whatever the order in which they were asked for.

    Fewer methods are simpler than more; then fewer parts of the training that the remedy changes, and shorter chains; then
    the network with fewer parameters; then the order in which evenray lists its methods.

    >>> [f"{c.contrast} {c.balance}" for c in simplest_first([Cell("clahe", "oversample", "vgg11"),
    ...  Cell("clahe", "none", "vgg11"), Cell("none", "oversample", "vgg11"), Cell("none", "none", "vgg11")])]
    ['none none', 'none oversample', 'clahe none', 'clahe oversample']
    """

    def rank(cell: Cell) -> tuple[Any, ...]:
        light, labels = parse(cell.contrast), parse(cell.balance)
        methods = sum(step.name != "none" for step in (*light, *labels))
        return (
            methods,
            _parameters(cell.network, channels, size),
            sum(step.name != "none" for step in light),
            [_place(list(contrasts), step.name) for step in light],
            [_place(["none", "threshold", *remedies.balances], step.name) for step in labels],
            cell.contrast,
            cell.balance,
            cell.network,
        )

    return sorted(cells, key=rank)


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


@cache
def _parameters(network: str, channels: int, size: int) -> int:
    return totals(anatomy(network, classes=2, channels=channels, size=size))["parameters"]
