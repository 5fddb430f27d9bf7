"""What a frozen trunk at hand makes of the cases, for the simplest use of it: logistic regression beside the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from evenray.core.types import Dataset
from evenray.data.store import store_folder
from evenray.learning import networks
from evenray.learning.baselines import TrunkFeatures
from evenray.learning.features import compute
from evenray.learning.networks import catalogue
from evenray.learning.plan import native_side
from evenray.learning.plan.budget import GPU
from evenray.learning.plan.starts import ENLARGED, Start, look
from evenray.learning.tasks import task_of

from .preparing import stores_of
from .tools import Tools

__all__ = ["trunk_features"]

WORK = 1_100  # units of the plan's budget (learning/plan/budget.py): about a minute on two cores
FEWEST = 100  # training cases


def trunk_features(
    dataset: Dataset, asked: Sequence[str], channels: int, seed: int, tools: Tools
) -> TrunkFeatures | None:
    """The features of training cases and of those `asked` for, of the cheapest trunk at hand, without contrast.

    Of the training cases as many as WORK covers, drawn at random; None where no weights are at hand or that is fewer than
    FEWEST and not all.
    """
    here = catalogue.at_hand().values()
    if not here:
        return None
    size = min(224, max(ENLARGED[0], native_side(dataset)))
    looks = [Start(weight, weight.network, weight.size if weight.fixed else size, "frozen") for weight in here]
    start = min(looks, key=look)
    train = dataset.part("train").cases["case"].to_numpy()
    work = WORK * (GPU if tools.kind != "cpu" else 1)
    most = int(work / look(start)) - len(asked)
    if most < min(FEWEST, len(train)):
        return None
    if most < len(train):
        train = np.sort(np.random.default_rng(seed).choice(train, most, replace=False))
    names = [*train.tolist(), *asked]
    seen = replace(dataset, cases=dataset.cases.filter(pl.col("case").is_in(names)))
    places = {name: row for row, name in enumerate(seen.cases["case"].to_list())}
    assert start.weights is not None
    model = networks.build(
        start.network, classes=len(dataset.classes), channels=channels, size=start.size, pretrained=start.weights.name,
        output=task_of(dataset.facts.task).output,
    )  # fmt: skip
    [store] = stores_of(tools, seen, ["none"], start.size, channels).values()
    rows = np.array([places[name] for name in names])
    with tools.events.task("task.features", len(rows)) as tick:
        [kept] = compute(model, store, rows, ("plain",), store_folder(tools.folder), tools.machine, tick)
    features = kept[np.arange(len(rows))].astype(np.float32).reshape(len(rows), -1)
    return TrunkFeatures(names[: len(train)], features[: len(train)], features[len(train) :])
