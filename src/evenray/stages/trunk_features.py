"""What a frozen trunk at hand makes of the cases, for the simplest use of it: logistic regression beside the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from evenray.core.messages import Message
from evenray.core.types import Dataset
from evenray.data.store import store_folder
from evenray.learning.baselines import TrunkFeatures
from evenray.learning.features import compute
from evenray.learning.networks import catalogue
from evenray.learning.plan import native_side
from evenray.learning.plan.budget import GPU
from evenray.learning.plan.starts import ENLARGED, Start, look

from .preparing import stores_of
from .tools import Tools
from .unasked import built, refused

__all__ = ["trunk_features"]

WORK = 1_100  # units of the plan's budget (learning/plan/budget.py): about a minute on two cores
FEWEST = 100  # training cases


def trunk_features(
    dataset: Dataset, asked: Sequence[str], channels: int, seed: int, tools: Tools
) -> TrunkFeatures | None:
    """The features of training cases and of those `asked` for, of the cheapest trunk at hand, without contrast.

    Of the training cases that are not asked for as many as WORK covers, drawn at random; None where that is fewer than FEWEST and
    not all, or no weights at hand may be taken unasked and fit.
    """
    size = min(224, max(ENLARGED[0], native_side(dataset)))
    here = [weight for weight in catalogue.at_hand().values() if refused(weight) is None]
    looks = [Start(weight, weight.network, weight.size if weight.fixed else size, "frozen") for weight in here]
    fitting = ((start, built(start, dataset, channels)) for start in sorted(looks, key=look))
    start, model = next(((start, model) for start, model in fitting if not isinstance(model, Message)), (None, None))
    if start is None or start.weights is None or model is None:
        return None
    names = dataset.part("train").cases["case"]
    train = names.filter(~names.is_in(list(asked))).to_numpy()
    work = WORK * (GPU if tools.kind != "cpu" else 1)
    most = int(work / look(start)) - len(asked)
    if most < min(FEWEST, len(train)):
        return None
    drawn = most if most < len(train) else None
    if drawn is not None:
        train = np.sort(np.random.default_rng(seed).choice(train, drawn, replace=False))
    looked_at = [*train.tolist(), *asked]
    seen = replace(dataset, cases=dataset.cases.filter(pl.col("case").is_in(looked_at)))
    places = {name: row for row, name in enumerate(seen.cases["case"].to_list())}
    [store] = stores_of(tools, seen, ["none"], start.size, channels).values()
    rows = np.array([places[name] for name in looked_at])
    with tools.events.task("task.features", len(rows)) as tick:
        [kept] = compute(model, store, rows, ("plain",), store_folder(tools.folder), tools.machine, tick)
    features = kept[np.arange(len(rows))].astype(np.float32).reshape(len(rows), -1)
    return TrunkFeatures(looked_at, features, start.weights.name, drawn)
