"""Which network at which size: the deepest at the largest that the budget covers."""

from __future__ import annotations

from evenray.core.recipe import Recipe
from evenray.core.types import Dataset

from .budget import COSTS, told
from .images import native_side
from .training import ASKED

__all__ = ["ENOUGH", "SIZES", "covered", "network_and_size"]

CANDIDATES = ("vgg16_bn", "vgg16_bn(width=0.5)", "vgg11_bn(width=0.5)")
SIZES = (224, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 28)
ENOUGH = 48  # pixels below which one network at a larger size does better than the average of several (docs/log.md)


def covered(dataset: Dataset, recipe: Recipe, looks: int, budget: float) -> bool:
    """Whether the budget covers so many looks at ENOUGH pixels, or at the size that was asked for or that there is."""
    names, sizes = _open(dataset, recipe)
    return any(_costs(name, size, looks) <= budget for name in names for size in sizes if size >= min(ENOUGH, sizes[0]))


def network_and_size(
    dataset: Dataset, recipe: Recipe, looks: int, budget: float, why: dict[str, str]
) -> tuple[str, int]:
    """The deepest network at the largest size whose training the budget covers; where it covers none, the least there is."""
    names, sizes = _open(dataset, recipe)
    fits = [
        (name, size, least)
        for least in [s for s in sizes if s <= 64] or sizes
        for name in names
        for size in sizes
        if size >= least and _costs(name, size, looks) <= budget
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
        why["size"] = f"images are {native_side(dataset)} pixels long (median); {said}{smallest}"
    return network, size


def _open(dataset: Dataset, recipe: Recipe) -> tuple[list[str], list[int]]:
    """The networks and the sizes, the largest first, that are left to choose from."""
    sizes = [recipe.size] if recipe.size else [s for s in SIZES if s <= max(native_side(dataset), 28)]
    return list(recipe.networks or CANDIDATES), sizes


def _costs(network: str, size: int, looks: int) -> float:
    return looks * COSTS.get(network, COSTS["vgg16_bn"]) * (size / 224) ** 2
