"""What several stages share: prepared pixels of a data set, its parts, and kept features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.plan import Plan
from evenray.core.events import watched
from evenray.core.types import Dataset
from evenray.data.store import Store, prepare, store_folder
from evenray.learning.features import compute, forms_of
from evenray.learning.networks import Classifier
from evenray.learning.plan import kept_side, native_side
from evenray.learning.tasks import Remedy, task_of
from evenray.learning.train import Part, examples

from .tools import Tools

__all__ = ["kept_features", "parts_of", "remedy_of", "stores_of"]


def stores_of(
    tools: Tools, dataset: Dataset, contrasts: list[str], size: int, channels: int, folder: Path | None = None
) -> dict[str, Store]:
    """The prepared pixels of a data set under some contrasts, made where they do not stand yet; `folder` is by default the
    run's store."""
    with tools.events.task("task.prepare", len(dataset)) as tick:
        return prepare(
            dataset, contrasts, size=size, channels=channels, folder=folder or store_folder(tools.folder),
            map=watched(tools.map, tick, lambda work: len(work.cases)),
        )  # fmt: skip


def parts_of(
    tools: Tools, dataset: Dataset, size: int, channels: int, contrast: str, names: tuple[str, ...], scale: float = 1.0
) -> dict[str, tuple[Dataset, Part]]:  # fmt: skip
    """Parts of the data with their prepared pixels, kept `scale` times as large as the `size` of the network's, where files are."""
    side = kept_side(size, native_side(dataset), scale)
    store = stores_of(tools, dataset, [contrast], side, channels)[contrast]
    return {name: part_of(dataset, store, name) for name in names}


def part_of(dataset: Dataset, store: Store, name: str) -> tuple[Dataset, Part]:
    """One part of the data with its prepared pixels."""
    rows = np.flatnonzero((dataset.cases["part"] == name).to_numpy())
    part = dataset.part(name)
    task = dataset.facts.task
    return part, examples(task, store, rows, task_of(task).targets(part), part.cases["case"].to_list())


def kept_features(
    tools: Tools, dataset: Dataset, plan: Plan, model: Classifier, contrasts: list[str], *, flips: bool
) -> tuple[NDArray[np.int64], dict[str, tuple[Store, ...]]]:
    """What a frozen trunk makes of all images but those of the test part: their rows in the data set, and the stores."""
    rows = np.flatnonzero((dataset.cases["part"] != "test").to_numpy() | tools.again)
    forms, found = forms_of(flips), {}
    stores = stores_of(tools, dataset, contrasts, plan.size, plan.channels)
    with tools.events.task("task.features", len(rows) * len(forms) * len(contrasts)) as tick:
        for contrast, store in stores.items():
            found[contrast] = compute(model, store, rows, forms, store_folder(tools.folder), tools.machine, tick)
    return rows, found


def remedy_of(dataset: Dataset, plan: Plan, choice: Choice) -> Remedy:
    """The chosen remedy, made for the training part."""
    task = task_of(dataset.facts.task)
    targets = task.targets(dataset.part("train"))
    return task.remedy(choice.balance, targets, dataset.classes, dataset.positive, epochs=plan.epochs)
