"""One budget for all systems: the same size, width, epochs, batch and learning rate, so that a row's error is its network's.

Like the plan, it never measures the machine: the same data and recipe give the same budget everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from evenray.core.artefacts.plan import ASKED, PlanChoice
from evenray.core.messages import Message
from evenray.core.table7_settings import Table7Settings
from evenray.core.types import Dataset
from evenray.learning.networks.anatomy import anatomy, totals
from evenray.learning.plan import native_side
from evenray.learning.plan.budget import GPU
from evenray.learning.plan.network import SIZES
from evenray.learning.tta import passes

from .systems import Net, System, nets_of

__all__ = ["Budget", "evaluation_batch", "make"]

STEPS = {"quick": 120, "standard": 350, "thorough": 2000}  # batches that every net learns from
MINUTES = {"quick": 6, "standard": 25, "thorough": 150}  # of two cores, for all systems together
WIDTHS = (1.0, 0.5, 0.25, 0.125)
LARGEST = 112  # beyond this side the budget goes into width
# What a step takes two cores, about: multiply-adds of both passes in a second; seconds a parameter, a layer, and a batch.
RATE, PARAMETER, LAYER, BATCH = 200e9, 3.5e-9, 0.5e-3, 15e-3
# What a pass of a batch of images takes in evaluation: multiply-adds in a second, seconds a layer, and a pass.
EVALUATION_RATE, EVALUATION_LAYER, EVALUATION_PASS = 180e9, 0.4e-3, 0.1e-3
EVALUATED = 512 * 28**2  # pixels of a batch in evaluation: small images in large batches, as each pass has its price
WHOLE = 49  # nets of the whole table; of fewer each may cost as much


@dataclass(frozen=True)
class Budget:
    """How every net is trained; `why` has the reason of each choice."""

    size: int
    width: float
    channels: int
    epochs: int
    batch: int
    learning_rate: float
    why: dict[str, Message]

    def choices(self) -> tuple[PlanChoice, ...]:
        """What was chosen, and why."""
        return tuple(PlanChoice.of(name, getattr(self, name), why) for name, why in self.why.items())


def make(dataset: Dataset, recipe: Table7Settings, systems: Sequence[System], *, gpu: bool = False) -> Budget:
    """The budget for the nets of some systems on a split data set."""
    n, why = len(dataset.part("train")), dict[str, Message]()
    channels = 3 if float(np.mean(dataset.cases["channels"].to_numpy() == 3)) > 0.05 else 1
    batch = recipe.batch or (64 if n >= 2000 else 32 if n >= 300 else 16)
    why["batch"] = ASKED if recipe.batch else Message("table7.batch", {"images": n})
    epochs = recipe.epochs or int(np.clip(round(STEPS[recipe.effort] * batch / n), 1, 60))
    steps, wanted = epochs * -(-n // batch), STEPS[recipe.effort]
    bound = "about" if epochs == round(wanted * batch / n) else "fewest" if epochs == 1 else "most"
    values = {"steps": steps, "wanted": wanted, "batch": batch, "epochs": epochs, "effort": recipe.effort}
    why["epochs"] = ASKED if recipe.epochs else Message(f"table7.epochs.{bound}", values)
    size, width = _size(dataset, recipe, systems, channels, batch, steps, gpu, why)
    learning_rate = recipe.learning_rate or 1e-3
    why["learning_rate"] = ASKED if recipe.learning_rate else Message("table7.learning_rate")
    return Budget(size, width, channels, epochs, batch, learning_rate, why)


def _size(
    dataset: Dataset, recipe: Table7Settings, systems: Sequence[System], channels: int, batch: int, steps: int, gpu: bool,
    why: dict[str, Message],
) -> tuple[int, float]:  # fmt: skip
    """The widest nets at the largest size that the minutes cover; size first where images are larger than 28 pixels."""
    native, nets = native_side(dataset), nets_of(systems)
    sizes = [recipe.size] if recipe.size else [s for s in SIZES if s <= max(28, min(native, LARGEST))]
    seconds = 60 * MINUTES[recipe.effort] * (GPU if gpu else 1) * len(nets) / WHOLE
    parts = [len(dataset.part(name)) for name in ("validation", "test")]

    def fits(size: int, width: float) -> bool:
        at_once = evaluation_batch(size, batch)
        trained = steps * sum(_step(_cost(net, width, size, channels), batch) for net in nets)
        evaluations = {(net, system.tta_at(bool(recipe.flips), size)) for system in systems for net in system.nets}
        evaluated = sum(
            _evaluation(_cost(net, width, size, channels), n, at_once, passes(tta, size, net.scale))
            for net, tta in evaluations
            for n in parts
        )
        return trained + evaluated <= seconds

    found = (
        (size, width, "fit")
        for least in (WIDTHS[2], WIDTHS[3])
        for size in sizes
        for width in WIDTHS
        if width >= least and fits(size, width)
    )
    size, width, fit = next(found, (sizes[-1], WIDTHS[-1], "nearest"))
    why["size"] = ASKED if recipe.size else Message("table7.size", {"side": native})
    values = {"steps": steps, "nets": len(nets), "minutes": seconds / 60, "effort": recipe.effort}
    why["width"] = Message(f"table7.width.{fit}", values)
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


def evaluation_batch(size: int, batch: int) -> int:
    """How many images are evaluated at once, of which nothing is kept for a backward pass.

    >>> [evaluation_batch(size, 64) for size in (28, 56, 112)]
    [512, 128, 64]
    """
    return max(batch, EVALUATED // size**2)


def _evaluation(cost: Cost, images: int, batch: int, areas: Sequence[float]) -> float:
    """Seconds of all passes that a test-time augmentation takes of some images."""
    dispatched = -(-images // batch) * len(areas) * (EVALUATION_LAYER * cost.layers + EVALUATION_PASS)
    return dispatched + images * sum(areas) * cost.multiply_adds / EVALUATION_RATE
