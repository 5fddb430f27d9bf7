"""How the network is trained: each choice with its reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evenray.core.recipe import Recipe
from evenray.core.types import Dataset

__all__ = [
    "ASKED",
    "ENOUGH_TO_CHOOSE",
    "batch",
    "channels",
    "epochs",
    "keep",
    "learning_rate",
    "members",
    "patience",
    "views",
]

ASKED = "as asked"
STEPS = {"quick": 300, "standard": 800, "thorough": 3000}
EPOCHS = (6, 60)
ENOUGH_TO_CHOOSE = 20
LEAST_PATIENCE = 5
LARGEST_BATCH = 256
MEMBERS = {"quick": 1, "standard": 3, "thorough": 5}
SHORTER = 0.75  # the share of a single network's steps that each of several gets
FEW = 10_000  # training cases below which the average of several networks is planned
FEWEST_STEPS = 16  # of an epoch, when a batch is made larger for a rare class


def channels(dataset: Dataset, recipe: Recipe) -> tuple[int, str]:
    """Three where more than a few images are in colour."""
    if (chosen := (recipe.choose or {}).get("channels")) is not None:
        return int(chosen), ASKED
    colour = float(np.mean(dataset.cases["channels"].to_numpy() == 3))
    why = f"{100 * colour:.3g}% of the images are in colour" if colour else "all images are grey"
    return 3 if colour > 0.05 else 1, why


def batch(train: Dataset, recipe: Recipe) -> tuple[int, str]:
    """By the number of images, and larger where a class is so rare that most batches would have none of it."""
    if recipe.batch:
        return recipe.batch, ASKED
    n = len(train)
    rarest = min((count for count in train.counts.values() if count), default=n)
    least = wider = 64 if n >= 2000 else 32 if n >= 300 else 16
    while wider * rarest < n and wider < LARGEST_BATCH and n >= 2 * FEWEST_STEPS * wider:
        wider *= 2
    if wider > least:
        often = f"1 in {round(n / rarest)} training images is of the rarest class"
        return wider, f"{often}: a smaller batch would often have none"
    return least, f"{n} training images: large enough for a steady gradient, small enough for many steps"


def members(n: int, recipe: Recipe, covered: Callable[[int], bool]) -> tuple[int, str]:
    """How many networks of different seeds are trained and averaged: as many as the budget has `covered` at a fair size."""
    if (chosen := (recipe.choose or {}).get("members")) is not None:
        return int(chosen), ASKED
    if recipe.weights:
        return 1, "networks that begin with the same weights would say much the same"
    if n >= FEW:
        return 1, f"{n} training images: one network is steady enough"
    if (most := MEMBERS[recipe.effort]) == 1:
        return 1, f"'{recipe.effort}' trains one"
    count = next((count for count in range(most, 1, -1) if covered(count)), 1)
    if count == 1:
        if recipe.size:
            return 1, f"the budget covers no more than one network at {recipe.size} pixels"
        return 1, "the budget covers several networks at small sizes only, where one at a larger size does better"
    return count, (
        f"{n} training images leave much to chance: the soft-maxes of {count} networks of different seeds are averaged, at"
        f" {count} times the cost of one" + (", as many as the budget covers at a fair size" if count < most else "")
    )


def epochs(n: int, batch: int, members: int, recipe: Recipe) -> tuple[int, str]:
    """So many that about the steps that the effort stands for are taken, within bounds."""
    if recipe.epochs:
        return recipe.epochs, ASKED
    alone = STEPS[recipe.effort]
    wanted = round(alone * (SHORTER if members > 1 else 1))
    planned, longer = (int(np.clip(round(steps * batch / n), *EPOCHS)) for steps in (wanted, alone))
    why = f"about {wanted} steps of {batch} images ('{recipe.effort}')"
    if planned in EPOCHS and planned != round(wanted * batch / n):
        bound = f"no fewer than {planned}" if planned == EPOCHS[0] else f"no more than {planned}"
        taken = planned * -(-max(1, n - (batch > 1)) // batch)  # no step is taken on a single image left over
        why = f"{taken} steps of {batch} images, where '{recipe.effort}' is for about {wanted}: {bound} epochs are planned"
    return planned, why + (", fewer than one network alone would get" if planned < longer else "")


def learning_rate(recipe: Recipe) -> tuple[float, str]:
    """The highest of the schedule."""
    if recipe.learning_rate:
        return recipe.learning_rate, ASKED
    if recipe.weights and not recipe.frozen:
        return 1e-4, "gentle, for weights that come trained"
    return 1e-3, "the usual one of AdamW with a one-cycle schedule"


def keep(dataset: Dataset, recipe: Recipe) -> tuple[str, str]:
    """Which epoch's weights."""
    if (chosen := (recipe.choose or {}).get("keep")) is not None:
        return str(chosen), ASKED
    fewest = min(dataset.part("validation").counts.values())
    if fewest < ENOUGH_TO_CHOOSE:
        return "last", f"a validation part with {fewest} cases of its rarest class is too small to choose an epoch by"
    return "best", (
        "of all epochs the last whose validation AUPRC is within a standard error of the best"
        f" ({fewest} cases of the rarest class)"
    )


def patience(recipe: Recipe, keep: str, epochs: int) -> tuple[int, str]:
    """After how many epochs without a better one training stops."""
    if recipe.patience is not None:
        return recipe.patience, ASKED
    if keep == "last":
        return 0, "training runs to its end: no epoch is chosen, so none can be the last that was better"
    patience = max(LEAST_PATIENCE, -(-epochs // 2))
    if patience >= epochs - 1:  # the first epoch is always the best so far
        return patience, (
            f"so many epochs without a better validation AUPRC stop training early, but never one of {patience + 1} or fewer"
        )
    return patience, (
        f"training stops early when {patience} of {epochs} epochs, one after another, brought no better validation AUPRC"
    )


def views(recipe: Recipe) -> tuple[str, str]:
    """How an image is looked at when it is judged."""
    if recipe.views is not None:
        return recipe.views, ASKED
    if recipe.scale_jitter:
        return "dense", "trained on crops at several scales, so it looks at the whole image at several"
    return "centre", "one look at the whole image, as it was trained"
