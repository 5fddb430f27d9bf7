"""The plan: what the recipe leaves open, decided from the data's fingerprint by fixed rules, each with its reason.

Nothing here measures the machine, so the same data, recipe and weights at hand give the same plan, and the same results,
everywhere that the kind of device is the same.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from evenray.core.artefacts.plan import Plan
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset
from evenray.learning.tasks import fitted

from . import training
from .budget import affordable
from .comparison import compared
from .images import fingerprint, kept_side, native_side
from .network import covered, network_and_size
from .precision import expected

LOWER: dict[str, Literal["quick", "standard", "thorough"]] = {
    "quick": "quick", "standard": "quick", "thorough": "standard"
}  # fmt: skip

__all__ = ["LOWER", "expected", "fingerprint", "kept_side", "make", "native_side"]


def make(dataset: Dataset, recipe: PlanSettings, *, gpu: bool = False) -> Plan:
    """The plan for a split data set; `gpu` says that training runs on one."""
    recipe = fitted(recipe, dataset.facts.task)
    train, budget, why = dataset.part("train"), affordable(recipe.effort, gpu=gpu), dict[str, Message]()
    why["pretrained"], why["finetune"] = training.start(recipe)
    channels, why["channels"] = training.channels(dataset, recipe)
    batch, why["batch"] = training.batch(train, recipe)

    def views_in_all(members: int) -> int:
        return len(train) * training.epochs(len(train), batch, members, recipe)[0] * members

    members, why["members"] = training.members(
        len(train), recipe, lambda count: covered(dataset, recipe, views_in_all(count), budget)
    )
    epochs, why["epochs"] = training.epochs(len(train), batch, members, recipe)
    network, size = network_and_size(dataset, recipe, views_in_all(members), budget, why)
    learning_rate, why["learning_rate"] = training.learning_rate(recipe)
    keep, why["keep"] = training.keep(dataset, recipe)
    patience, why["patience"] = training.patience(recipe, keep, epochs)
    tta, why["tta"] = training.tta(recipe)
    grid = compared(dataset, recipe, network, size, epochs, budget, why)
    return Plan(
        pretrained=recipe.weights, finetune=recipe.finetune, network=network,
        size=size, channels=channels, epochs=epochs, members=members, batch=batch, keep=keep,
        learning_rate=learning_rate, patience=patience, tta=tta, **asdict(grid), why=why,
    )  # fmt: skip
