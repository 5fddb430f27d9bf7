"""The plan: what the recipe leaves open, decided from the data's fingerprint by fixed rules, each with its reason.

Nothing here measures the machine, so the same data and recipe give the same plan, and the same results, everywhere
that the kind of device is the same.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from evenray.core.recipe import Recipe
from evenray.core.types import Dataset

from . import training
from .budget import affordable
from .comparison import compared
from .images import fingerprint, kept_side, native_side
from .network import covered, network_and_size

__all__ = ["Plan", "fingerprint", "kept_side", "make", "native_side"]


@dataclass(frozen=True)
class Plan:
    """Every setting of training and comparison; `why` has a sentence for each."""

    network: str
    size: int
    channels: int
    epochs: int
    members: int
    batch: int
    learning_rate: float
    keep: str
    patience: int
    views: str
    folds: int
    compare_networks: tuple[str, ...]
    compare_size: int
    compare_epochs: int
    compare_cases: int
    search: str
    why: dict[str, str]

    def choices(self) -> list[dict[str, Any]]:
        """The plan as a list of {name, value, why}, for plan.json."""
        values = asdict(self)
        return [{"name": name, "value": values[name], "why": why} for name, why in self.why.items()]


def make(dataset: Dataset, recipe: Recipe, *, gpu: bool = False) -> Plan:
    """The plan for a split data set; `gpu` says that training runs on one."""
    train, budget, why = dataset.part("train"), affordable(recipe.effort, gpu=gpu), dict[str, str]()
    channels, why["channels"] = training.channels(dataset, recipe)
    batch, why["batch"] = training.batch(train, recipe)

    def looks(members: int) -> int:
        return len(train) * training.epochs(len(train), batch, members, recipe)[0] * members

    members, why["members"] = training.members(
        len(train), recipe, lambda count: covered(dataset, recipe, looks(count), budget)
    )
    epochs, why["epochs"] = training.epochs(len(train), batch, members, recipe)
    network, size = network_and_size(dataset, recipe, looks(members), budget, why)
    learning_rate, why["learning_rate"] = training.learning_rate(recipe)
    keep, why["keep"] = training.keep(dataset, recipe)
    patience, why["patience"] = training.patience(recipe, keep, epochs)
    views, why["views"] = training.views(recipe)
    grid = compared(dataset, recipe, network, size, epochs, budget, why)
    return Plan(
        network=network, size=size, channels=channels, epochs=epochs, members=members, batch=batch, keep=keep,
        learning_rate=learning_rate, patience=patience, views=views, **grid, why=why,
    )  # fmt: skip
