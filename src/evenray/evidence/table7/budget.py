"""One budget for all systems: the same size, width, epochs, batch and learning rate, so that a row's error is its network's.

Like the plan, it never measures the machine: the same data and recipe give the same budget everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.learning.networks.anatomy import anatomy, totals
from evenray.learning.plan import native_side
from evenray.learning.plan.budget import GPU
from evenray.learning.plan.network import SIZES
from evenray.learning.tta import passes

from .systems import Net, System, nets_of

__all__ = ["Budget", "look_batch", "make"]

STEPS = {"quick": 120, "standard": 350, "thorough": 2000}  # batches that every net learns from
MINUTES = {"quick": 6, "standard": 25, "thorough": 150}  # of two cores, for all systems together
WIDTHS = (1.0, 0.5, 0.25, 0.125)
LARGEST = 112  # beyond this side the budget goes into width
# What a step takes two cores, about: multiply-adds of both passes in a second; seconds a parameter, a layer, and a batch.
RATE, PARAMETER, LAYER, BATCH = 200e9, 3.5e-9, 0.5e-3, 15e-3
# What a pass of a batch of looks takes: multiply-adds in a second, seconds a layer, and a pass.
LOOK_RATE, LOOK_LAYER, LOOK_PASS = 180e9, 0.4e-3, 0.1e-3
LOOKED = 512 * 28**2  # pixels of a batch that is looked at: small images in large batches, as each pass has its price
WHOLE = 49  # nets of the whole table; of fewer each may cost as much


@dataclass(frozen=True)
class Budget:
    """How every net is trained; `why` has a sentence for each choice."""

    size: int
    width: float
    channels: int
    epochs: int
    batch: int
    learning_rate: float
    why: dict[str, str]

    def choices(self) -> list[dict[str, Any]]:
        """The budget as a list of {name, value, why}."""
        values = asdict(self)
        return [{"name": name, "value": values[name], "why": why} for name, why in self.why.items()]


def make(dataset: Dataset, recipe: Recipe, systems: Sequence[System], *, gpu: bool = False) -> Budget:
    """The budget for the nets of some systems on a split data set."""
    n, why = len(dataset.part("train")), dict[str, str]()
    channels = 3 if float(np.mean(dataset.cases["channels"].to_numpy() == 3)) > 0.05 else 1
    batch = recipe.batch or (64 if n >= 2000 else 32 if n >= 300 else 16)
    why["batch"] = _given(recipe.batch) or f"for {n} training images"
    epochs = recipe.epochs or int(np.clip(round(STEPS[recipe.effort] * batch / n), 1, 60))
    why["epochs"] = _given(recipe.epochs) or f"about {STEPS[recipe.effort]} steps of {batch} images ('{recipe.effort}')"
    steps = epochs * -(-n // batch)
    if not recipe.epochs and epochs != round(STEPS[recipe.effort] * batch / n):
        bound = "one epoch is the least" if epochs == 1 else f"{epochs} epochs are the most"
        why["epochs"] = (
            f"{steps} steps of {batch} images, where '{recipe.effort}' is for about {STEPS[recipe.effort]}: {bound}"
        )
    size, width = _size(dataset, recipe, systems, channels, batch, steps, gpu, why)
    learning_rate = recipe.learning_rate or 1e-3
    why["learning_rate"] = _given(recipe.learning_rate) or (
        "one for all; the rise of the one-cycle schedule and clipped gradients keep the nets without batch normalisation"
        " from falling to a constant answer"
    )
    return Budget(size, width, channels, epochs, batch, learning_rate, why)


def _size(
    dataset: Dataset, recipe: Recipe, systems: Sequence[System], channels: int, batch: int, steps: int, gpu: bool,
    why: dict[str, str],
) -> tuple[int, float]:  # fmt: skip
    """The widest nets at the largest size that the minutes cover; size first where images are larger than 28 pixels."""
    native, nets = native_side(dataset), nets_of(systems)
    sizes = [recipe.size] if recipe.size else [s for s in SIZES if s <= max(28, min(native, LARGEST))]
    seconds = 60 * MINUTES[recipe.effort] * (GPU if gpu else 1) * len(nets) / WHOLE
    looked_at = [len(dataset.part(name)) for name in ("validation", "test")]

    def fits(size: int, width: float) -> bool:
        at_once = look_batch(size, batch)
        trained = steps * sum(_step(_cost(net, width, size, channels), batch) for net in nets)
        looks = {(net, system.look(bool(recipe.flips), size)) for system in systems for net in system.nets}
        looked = sum(
            _look(_cost(net, width, size, channels), n, at_once, passes(view, size, net.scale))
            for net, view in looks
            for n in looked_at
        )
        return trained + looked <= seconds

    found = (
        (size, width, "fit")
        for least in (WIDTHS[2], WIDTHS[3])
        for size in sizes
        for width in WIDTHS
        if width >= least and fits(size, width)
    )
    size, width, fit = next(found, (sizes[-1], WIDTHS[-1], "come nearest to"))
    why["size"] = _given(recipe.size) or f"images are {native} pixels long (median)"
    why["width"] = (
        f"the share of the papers' channels with which {steps} steps a net (nets: {len(nets)}) {fit} about"
        f" {seconds / 60:.2g} min of two cores ('{recipe.effort}')"
    )
    return size, width


@dataclass(frozen=True)
class Cost:
    """What an image costs a net: multiply-adds, parameters, layers."""

    multiply_adds: float
    parameters: float
    layers: int


@lru_cache(maxsize=1024)
def _cost(net: Net, width: float, size: int, channels: int) -> Cost:
    layers = anatomy(net.at(width), classes=2, channels=channels, size=size)
    total = totals(layers)
    return Cost(total["multiply_adds"], total["parameters"], len(layers))


def _step(cost: Cost, batch: int) -> float:
    """Seconds of one step of training."""
    return 3 * batch * cost.multiply_adds / RATE + PARAMETER * cost.parameters + LAYER * cost.layers + BATCH


def look_batch(size: int, batch: int) -> int:
    """How many images are looked at at once, of which nothing is kept for a backward pass.

    >>> [look_batch(size, 64) for size in (28, 56, 112)]
    [512, 128, 64]
    """
    return max(batch, LOOKED // size**2)


def _look(cost: Cost, images: int, batch: int, areas: Sequence[float]) -> float:
    """Seconds of all passes that a view takes of some images."""
    dispatched = -(-images // batch) * len(areas) * (LOOK_LAYER * cost.layers + LOOK_PASS)
    return dispatched + images * sum(areas) * cost.multiply_adds / LOOK_RATE


def _given(value: object) -> str:
    return "" if value is None else "as asked"
