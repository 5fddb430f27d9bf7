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
from .network import covered, network_and_size, with_smallest_boxes
from .patches import PLACES, an_epoch, patch_and_side, small_objects, through_patches
from .precision import expected
from .thin import patch_of_masks

LOWER: dict[str, Literal["quick", "standard", "thorough"]] = {
    "quick": "quick", "standard": "quick", "thorough": "standard"
}  # fmt: skip

__all__ = ["LOWER", "expected", "fingerprint", "kept_side", "make", "native_side"]


def _with_patches(
    dataset: Dataset, recipe: PlanSettings, looked: PlanSettings, batch: int, budget: float
) -> tuple[int, str, int, int, int, dict[str, Message]] | None:
    """The members, the network, its size, the patch and the side of images of masks that are learnt in patches, with the reasons; None
    where at what patches cost whole images do, or larger ones cannot be had."""
    why, n = dict[str, Message](), len(dataset.part("train"))
    members, why["members"] = training.members(
        n, looked, lambda count: covered(dataset, looked, training.views(n, batch, count, recipe), budget)
    )
    network, size = network_and_size(dataset, looked, training.views(n, batch, members, recipe), budget, why)
    patch, side = patch_of_masks(dataset, network, size, budget, why)
    return None if patch is None else (members, network, size, patch, side, why)


def make(dataset: Dataset, recipe: PlanSettings, *, gpu: bool = False) -> Plan:
    """The plan for a split data set; `gpu` says that training runs on one."""
    recipe = fitted(recipe, dataset.facts.task)
    train, budget, why = dataset.part("train"), affordable(recipe.effort, gpu=gpu), dict[str, Message]()
    why["pretrained"], why["finetune"] = training.start(recipe)
    channels, why["channels"] = training.channels(dataset, recipe)
    batch, why["batch"] = training.batch(train, recipe)

    looked = through_patches(recipe)

    def views_in_all(members: int) -> int:
        return len(train) * training.epochs(len(train), batch, members, recipe)[0] * members

    members, why["members"] = training.members(
        len(train), looked, lambda count: covered(dataset, looked, views_in_all(count), budget)
    )
    network, size = network_and_size(dataset, looked, views_in_all(members), budget, why)
    patch, side = patch_and_side(dataset, recipe, size, why) if dataset.facts.task in PLACES else (None, size)
    if dataset.facts.task == "segment" and recipe.patch is None and recipe.size is None:
        patch, side = patch_of_masks(dataset, network, size, budget, why)
        if patch is not None:
            of_patches = _with_patches(dataset, recipe, looked, batch, budget)
            if of_patches is None:  # whole images stay as they were planned
                patch, side = None, size
                why.pop("patch")
                network, size = network_and_size(dataset, looked, views_in_all(members), budget, why)
            else:
                members, network, size, patch, side, reasons = of_patches
                why |= reasons
    if dataset.facts.task == "detect" and not recipe.networks:
        network = with_smallest_boxes(network, small_objects(dataset) * side / size)
    patches = an_epoch(len(train), batch, training.STEPS[recipe.effort], recipe, patch, side)
    if patch is not None:
        why["patches"] = Message("plan.patches", {"side": patch})
    epochs, why["epochs"] = training.epochs(len(train) * patches, batch, members, recipe)
    learning_rate, why["learning_rate"] = training.learning_rate(dataset, recipe)
    keep, why["keep"] = training.keep(dataset, recipe)
    patience, why["patience"] = training.patience(recipe, keep, epochs)
    tta, why["tta"] = training.tta(recipe)
    whole = None if patch is None else side
    grid = compared(dataset, recipe, network, size, epochs, budget, why, patches, whole)
    return Plan(
        pretrained=recipe.weights, finetune=recipe.finetune, network=network,
        size=side, channels=channels, epochs=epochs, members=members, batch=batch, keep=keep,
        learning_rate=learning_rate, patience=patience, tta=tta, **asdict(grid), why=why,
        patch=patch, patches=patches,
    )  # fmt: skip
