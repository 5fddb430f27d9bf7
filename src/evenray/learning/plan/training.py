"""How the network is trained: each choice with its reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evenray.core.artefacts.plan import ASKED
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset

from .patches import MOST_SIDE, an_epoch

__all__ = ["batch", "channels", "epochs", "keep", "learning_rate", "members", "patience", "start", "tta", "views"]

STEPS = {"quick": 300, "standard": 800, "thorough": 3000}
EPOCHS = (6, 60)
ENOUGH_TO_CHOOSE = 20
LEAST_PATIENCE = 5
LARGEST_BATCH = 256
OF_MASKS = 8  # images a step: each has thousands of pixels to learn from, and maps as large as itself
MEMBERS = {"quick": 1, "standard": 3, "thorough": 5}
SHORTER = 0.75  # the share of a single network's steps that each of several gets
FEW = 10_000  # training cases below which the average of several networks is planned
FEWEST_STEPS = 16  # of an epoch, when a batch is made larger for a rare class


def channels(dataset: Dataset, recipe: PlanSettings) -> tuple[int, Message]:
    """Three where more than a few images are in colour."""
    if (chosen := (recipe.choose or {}).get("channels")) is not None:
        return int(chosen), ASKED
    if colour := float(np.mean(dataset.cases["channels"].to_numpy() == 3)):
        return 3 if colour > 0.05 else 1, Message("plan.channels.colour", {"percent": float(f"{100 * colour:.3g}")})
    return 1, Message("plan.channels.grey")


def batch(train: Dataset, recipe: PlanSettings) -> tuple[int, Message]:
    """By the number of images, and larger where a class is so rare that most batches would have none of it."""
    if recipe.batch:
        return recipe.batch, ASKED
    n = len(train)
    if train.facts.task == "segment":
        return OF_MASKS, Message("plan.batch.masks")
    rarest = min((count for count in train.counts.values() if count), default=n)
    least = wider = 64 if n >= 2000 else 32 if n >= 300 else 16
    while wider * rarest < n and wider < LARGEST_BATCH and n >= 2 * FEWEST_STEPS * wider:
        wider *= 2
    if wider > least:
        return wider, Message("plan.batch.rare", {"one_in": round(n / rarest)})
    return least, Message("plan.batch", {"images": n})


def members(n: int, recipe: PlanSettings, covered: Callable[[int], bool]) -> tuple[int, Message]:
    """How many networks of different seeds are trained and averaged: as many as the budget has `covered` at a fair size."""
    if (chosen := (recipe.choose or {}).get("members")) is not None:
        return int(chosen), ASKED
    if recipe.weights:
        return 1, Message("plan.members.weights")
    if n >= FEW:
        return 1, Message("plan.members.enough_images", {"images": n})
    if (most := MEMBERS[recipe.effort]) == 1:
        return 1, Message("plan.members.effort", {"effort": recipe.effort})
    count = next((count for count in range(most, 1, -1) if covered(count)), 1)
    if count == 1 and recipe.size:
        return 1, Message("plan.members.size_given", {"size": recipe.size})
    if count == 1:
        return 1, Message("plan.members.small_sizes")
    values = {"images": n, "members": count, "variant": "budget" if count < most else ""}
    return count, Message("plan.members.several", values)


def epochs(n: int, batch: int, members: int, recipe: PlanSettings) -> tuple[int, Message]:
    """So many that about the steps that the effort stands for are taken, within bounds."""
    if recipe.epochs:
        return recipe.epochs, ASKED
    alone = STEPS[recipe.effort]
    wanted = round(alone * (SHORTER if members > 1 else 1))
    planned, longer = (int(np.clip(round(steps * batch / n), *EPOCHS)) for steps in (wanted, alone))
    values: dict[str, int | str] = {"wanted": wanted, "batch": batch, "effort": recipe.effort, "epochs": planned}
    values["variant"] = "several" if planned < longer else ""
    if planned not in EPOCHS or planned == round(wanted * batch / n):
        return planned, Message("plan.epochs.about", values)
    values["steps"] = planned * -(-max(1, n - (batch > 1)) // batch)  # no step is taken on a single image left over
    return planned, Message("plan.epochs.fewest" if planned == EPOCHS[0] else "plan.epochs.most", values)


def views(images: int, batch: int, members: int, recipe: PlanSettings) -> int:
    """How many patches are looked at in all, where images are so large that there are enough for all steps: each image gives one an
    epoch at the least, so that many images are more than the steps that the effort stands for."""
    shown = images * an_epoch(images, batch, STEPS[recipe.effort], recipe, 1, MOST_SIDE)
    return shown * epochs(shown, batch, members, recipe)[0] * members


def learning_rate(dataset: Dataset, recipe: PlanSettings) -> tuple[float, Message]:
    """The highest of the schedule. What a network of masks has on top of trained convolutions is most of it and new: at a rate that
    is gentle to them it hardly learns (docs/log.md)."""
    if recipe.learning_rate:
        return recipe.learning_rate, ASKED
    if recipe.weights and not recipe.frozen and dataset.facts.task == "segment":
        return 1e-3, Message("plan.learning_rate.masks")
    if recipe.weights and not recipe.frozen:
        return 1e-4, Message("plan.learning_rate.weights")
    return 1e-3, Message("plan.learning_rate")


def start(recipe: PlanSettings) -> tuple[Message, Message]:
    """Why these weights, or none, and why so much of them may change."""
    none = Message("plan.finetune.none")
    if recipe.pretrained == "none":
        return ASKED, none
    return (ASKED, ASKED) if recipe.weights else (Message("plan.pretrained.scratch"), none)


def keep(dataset: Dataset, recipe: PlanSettings) -> tuple[str, Message]:
    """Which epoch's weights."""
    if (chosen := (recipe.choose or {}).get("keep")) is not None:
        return str(chosen), ASKED
    fewest = min(dataset.part("validation").counts.values())
    kept = "last" if fewest < ENOUGH_TO_CHOOSE else "best"
    return kept, Message(f"plan.keep.{kept}", {"cases": fewest})


def patience(recipe: PlanSettings, keep: str, epochs: int) -> tuple[int, Message]:
    """After how many epochs without a better one training stops."""
    if recipe.patience is not None:
        return recipe.patience, ASKED
    if keep == "last":
        return 0, Message("plan.patience.never")
    patience = max(LEAST_PATIENCE, -(-epochs // 2))
    if patience >= epochs - 1:  # the first epoch is always the best so far
        return patience, Message("plan.patience.longer", {"epochs": patience + 1})
    return patience, Message("plan.patience", {"patience": patience, "epochs": epochs})


def tta(recipe: PlanSettings) -> tuple[str, Message]:
    """The test-time augmentation, where the evaluation is not asked for another."""
    if recipe.scale_jitter:
        return "dense", Message("plan.tta.dense")
    return "centre", Message("plan.tta.centre")
