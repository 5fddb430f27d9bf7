"""Which network at which size: the deepest at the largest that the budget covers."""

from __future__ import annotations

from evenray.core.artefacts.plan import ASKED
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset

from .budget import COSTS, cost_message
from .images import native_side

__all__ = ["ENOUGH", "SIZES", "covered", "network_and_size", "with_smallest_boxes"]

CANDIDATES = ("vgg16_bn(head=average)", "vgg16_bn(head=average, width=0.5)", "vgg11_bn(head=average, width=0.5)")
OF_BOXES = ("ssd(vgg16_bn)", "ssd(vgg16_bn(width=0.5))", "ssd(vgg11_bn(width=0.25))")
OF_MASKS = ("unet(vgg16_bn)", "unet(vgg16_bn(width=0.5))", "unet(vgg11_bn(width=0.25))")
LARGE_WITH_BOXES = 300  # as in the paper
LEAST_SMALLEST, LARGEST_SMALLEST = 0.03, 0.1
SIZES = (224, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 28)
LEAST = 64  # pixels from which on a deeper network is taken before larger images
ENOUGH_WITH_MASKS = (
    128  # the same where each pixel is told, and for the average of several: a mask is as fine as its images
)
ENOUGH = 48  # pixels below which one network at a larger size does better than the average of several (docs/log.md)


def covered(dataset: Dataset, recipe: PlanSettings, images: int, budget: float) -> bool:
    """Whether the budget covers training on so many images at ENOUGH pixels, or at the size asked for or that there is."""
    names, sizes = _open(dataset, recipe)
    enough = ENOUGH_WITH_MASKS if dataset.facts.task == "segment" else ENOUGH
    large = [size for size in sizes if size >= min(enough, sizes[0])]
    return any(_costs(name, size, images) <= budget for name in names for size in large)


def network_and_size(
    dataset: Dataset, recipe: PlanSettings, images: int, budget: float, why: dict[str, Message]
) -> tuple[str, int]:
    """The deepest network at the largest size whose training the budget covers; where it covers none, the least there is."""
    names, sizes = _open(dataset, recipe)
    most = ENOUGH_WITH_MASKS if dataset.facts.task == "segment" else LEAST
    fits = [
        (name, size, least)
        for least in [s for s in sizes if s <= most] or sizes
        for name in names
        for size in sizes
        if size >= least and _costs(name, size, images) <= budget
    ]
    network, size, least = fits[0] if fits else (names[-1], sizes[-1], sizes[-1])
    if len(recipe.networks) > 1:
        network = recipe.networks[0]
    cost = cost_message(recipe.effort, recipe.networks or (network,), images, size, budget)
    if recipe.networks:
        why["network"] = ASKED
    elif fits:
        at, variant = (size, "") if recipe.size else (least, "or_more")
        why["network"] = Message(
            "plan.network.largest", {"candidates": len(candidates(dataset)), "pixels": at, "variant": variant}
        )
    else:
        why["network"] = Message("plan.network.smallest", {"candidates": len(candidates(dataset)), "cost": cost})
    values = {"side": native_side(dataset), "cost": cost, "variant": "" if fits else "smallest"}
    why["size"] = ASKED if recipe.size else Message("plan.size", values)
    return network, size


def candidates(dataset: Dataset) -> tuple[str, ...]:
    """The networks that are planned from, the deepest first."""
    return {"segment": OF_MASKS, "detect": OF_BOXES}.get(dataset.facts.task, CANDIDATES)


def with_smallest_boxes(network: str, share: float) -> str:
    """A planned SSD whose smallest default boxes are as large as small objects are, by their `share` of the side of what it looks at.
    Where that is a tenth or more it stays as it is in the paper."""
    smallest = round(min(max(share, LEAST_SMALLEST), LARGEST_SMALLEST), 2)
    return network if smallest == LARGEST_SMALLEST else f"{network[:-1]}, smallest={smallest:g})"


def _open(dataset: Dataset, recipe: PlanSettings) -> tuple[list[str], list[int]]:
    """The networks and the sizes, the largest first, that are left to choose from."""
    known = (LARGE_WITH_BOXES, *SIZES) if dataset.facts.task == "detect" else SIZES
    sizes = [recipe.size] if recipe.size else [s for s in known if s <= max(native_side(dataset), 28)]
    return list(recipe.networks or candidates(dataset)), sizes


def _costs(network: str, size: int, images: int) -> float:
    return images * COSTS.get(network, COSTS["vgg16_bn(head=average)"]) * (size / 224) ** 2
