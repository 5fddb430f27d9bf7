"""Which network at which size: the deepest at the largest that the budget covers."""

from __future__ import annotations

from evenray.core.recipe import Recipe
from evenray.core.types import Dataset

from .budget import COSTS, told
from .images import native_side
from .training import ASKED

__all__ = ["SIZES", "network_and_size"]

CANDIDATES = ("vgg16_bn", "vgg16_bn(width=0.5)", "vgg11_bn(width=0.5)")
SIZES = (224, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 28)


def network_and_size(
    dataset: Dataset, recipe: Recipe, looks: int, budget: float, why: dict[str, str]
) -> tuple[str, int]:
    """The deepest network at the largest size whose training the budget covers; where it covers none, the least there is."""
    native = native_side(dataset)
    sizes = [recipe.size] if recipe.size else [s for s in SIZES if s <= max(native, 28)]
    names = list(recipe.networks or CANDIDATES)
    small = min(64, sizes[0])
    fits = [
        (name, size, least)
        for least in (small, min(48, small), 28)
        for name in names
        for size in sizes
        if size >= least and looks * COSTS.get(name, COSTS["vgg16_bn"]) * (size / 224) ** 2 <= budget
    ]
    network, size, least = fits[0] if fits else (names[-1], sizes[-1], sizes[-1])
    if len(recipe.networks) > 1:
        network = recipe.networks[0]
    said = told(recipe.effort, recipe.networks or (network,), looks, size, budget)
    if recipe.networks:
        why["network"] = ASKED
    elif fits:
        at = f"{size} pixels" if recipe.size else f"{least} pixels or more"
        why["network"] = f"the largest of {len(CANDIDATES)} candidates whose training the budget covers at {at}"
    else:
        why["network"] = f"the smallest of {len(CANDIDATES)} candidates; {said}"
    if recipe.size:
        why["size"] = ASKED
    else:
        smallest = "" if fits else ", and no smaller size is planned"
        why["size"] = f"images are {native} pixels long (median); {said}{smallest}"
    return network, size
