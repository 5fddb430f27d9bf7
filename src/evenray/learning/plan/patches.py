"""Whether a network looks at whole images or at patches of larger ones, and how many patches of an image an epoch shows."""

from __future__ import annotations

import math

import numpy as np

from evenray.core.artefacts.plan import ASKED
from evenray.core.marks import BoxStruct
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset

from .images import native_side

__all__ = ["PLACES", "an_epoch", "patch_and_side", "small_objects", "through_patches"]

PLACES = ("segment", "detect")  # tasks whose answers are about places of an image, so that parts of it can be looked at
LEAST_OBJECT = 16  # pixels: two steps of SSD's first map
WHOLE = 300  # pixels; where small objects are large enough in whole images of this side, no patches are planned
LARGER = 1.5  # how much larger than the network images are to be for patches to be worth it
MOST_SIDE = 4096  # pixels
AN_EPOCH = 12  # epochs that patches of the same image leave
SMALL_OBJECTS = 0.05  # the share of objects that are smaller


def through_patches(recipe: PlanSettings) -> PlanSettings:
    """The recipe as the network is planned by: its size is that of patches, where they are asked for."""
    return recipe if recipe.patch is None else recipe.but(size=min(recipe.patch, recipe.size or recipe.patch))


def patch_and_side(
    dataset: Dataset, recipe: PlanSettings, size: int, why: dict[str, Message]
) -> tuple[int | None, int]:
    """The side of the patches that a network of `size` looks at, None where it looks at whole images, and of the images.

    Asked for without a size of the images, patches are cut out of images as they come.
    """
    native = native_side(dataset)
    if recipe.patch is not None:
        side = recipe.size or max(size, min(native, MOST_SIDE))
        why["patch"] = ASKED if side > size else Message("plan.patch.fits", {"asked": recipe.patch, "side": side})
        if recipe.size is None:
            why["size"] = Message("plan.size.own", {"side": native, "most": MOST_SIDE})
        return (size, side) if side > size else (None, side)
    if dataset.facts.task != "detect" or recipe.size is not None:
        return None, size
    share = small_objects(dataset)
    side = min(native, MOST_SIDE, math.ceil(LEAST_OBJECT / share))
    if share * WHOLE >= LEAST_OBJECT or side < LARGER * size:
        return None, size
    values = {
        "pixels": round(share * size, 1), "least": LEAST_OBJECT, "size": size, "side": side, "native": native,
        "there": round(share * side, 1),
    }  # fmt: skip
    why["patch"], why["size"] = Message("plan.patch.objects", values), Message("plan.size.objects", values)
    return size, side


def an_epoch(images: int, batch: int, steps: int, recipe: PlanSettings, patch: int | None, side: int) -> int:
    """How many patches of an image an epoch shows: as many as cover it, or as leave AN_EPOCH epochs (or those asked for)."""
    if patch is None:
        return 1
    epochs = recipe.epochs or AN_EPOCH
    return int(np.clip(round(steps * batch / (images * epochs)), 1, math.ceil((side / patch) ** 2)))


def small_objects(dataset: Dataset) -> float:
    """The side that one in twenty of the objects to learn from is smaller than, as a share of the square that holds its image."""
    sides: list[float] = []
    for rows, columns, boxes in dataset.part("train").cases.select("rows", "columns", "boxes").iter_rows():
        sides += [
            ((b["x1"] - b["x0"]) * (b["y1"] - b["y0"])) ** 0.5 / max(rows, columns) for b in boxes or () if _solid(b)
        ]
    return float(np.quantile(sides, SMALL_OBJECTS)) if sides else 1.0


def _solid(box: BoxStruct) -> bool:
    return not box["ignored"] and box["x1"] > box["x0"] and box["y1"] > box["y0"]
