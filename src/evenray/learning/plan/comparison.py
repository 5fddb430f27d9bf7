"""How contrasts, remedies and networks are compared within the budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from evenray.core.artefacts.plan import ASKED
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset
from evenray.learning.balance import parse_ratio
from evenray.learning.tasks import keeps_features

from .budget import COSTS, NARROW, cost
from .network import SIZES
from .thin import FORWARD, OVERLAPPING, PREDICTED

__all__ = ["COMPARED", "WHOLE", "Comparison", "compared"]

FOLDS = {"quick": 2, "standard": 3, "thorough": 5}
COMPARED = {"quick": (600, 32), "standard": (2000, 48), "thorough": (10**9, 64)}  # (cases, side in pixels)
LARGE = 24  # cells from which on a comparison stops the weak ones early
LEAST_EPOCHS = 6
FAIR_EPOCHS = 12  # for fewer of them the images are made smaller: what has hardly learnt is ranked by its speed
MOST_EPOCHS = 200
MOST_COMPARED = 20  # epochs
WHOLE = 0.5  # the share of the cases from which on a comparison takes all of them
STAND_IN = "vgg11_bn(head=average, width=0.25)"
STAND_INS = {
    "segment": "unet(vgg11_bn(width=0.25))",
    "detect": "ssd(vgg11_bn(width=0.25))",
}  # by task, where it is another one
LEAST_WITH_PLACES = 64  # pixels
COMPARISON = 1.5  # what all cells of a comparison have together, in budgets of the final training


@dataclass(frozen=True)
class Comparison:
    """How the grid is trained: in how many folds, which networks, on how many cases of which size, for how long. `compare_side` is the
    side of the images of which `compare_size` is that of patches."""

    folds: int
    compare_networks: tuple[str, ...]
    compare_size: int
    compare_epochs: int
    compare_cases: int
    search: str
    compare_side: int | None = None


def compared(
    dataset: Dataset, recipe: PlanSettings, network: str, size: int, epochs: int, budget: float, why: dict[str, Message],
    patches: int = 1, whole: int | None = None,
) -> Comparison:  # fmt: skip
    """The comparison that COMPARISON budgets cover; `why` takes the reasons. An epoch shows so many `patches` of an image, of `size`
    in images of the side `whole`."""
    folds = recipe.folds or FOLDS[recipe.effort]
    why["folds"] = ASKED if recipe.folds else Message("plan.folds", {"effort": recipe.effort})
    cells = len(recipe.contrasts) * len(recipe.balances) * max(len(recipe.networks), 1)
    search = _search(recipe, cells, keeps_features(recipe.frozen, dataset.facts.task), why)
    n, left = len(dataset.part("train")) + len(dataset.part("validation")), _left(dataset, recipe)
    if keeps_features(recipe.frozen, dataset.facts.task):
        why["compare_networks"] = why["compare_size"] = Message("plan.compare.frozen")
        why["compare_epochs"] = why["compare_cases"] = Message("plan.compare.head")
        longer = min(int(epochs / left), MOST_EPOCHS) if left < 1 else epochs
        found = Comparison(folds, (network,), size, longer, n, search)
    else:
        fewer = 2 if dataset.facts.task == "segment" else 1  # each image has thousands of pixels to learn from
        cases = min(COMPARED[recipe.effort][0] // fewer, n)
        images = cells * (folds - 1) * cases * patches * left * recipe.seeds * max(len(recipe.imbalances), 1)
        asked = (recipe.choose or {}).get("compare_size")
        sides = [asked] if asked else [s for s in (size, *SIZES) if s <= min(size, COMPARED[recipe.effort][1])]
        if dataset.facts.task in ("detect", "segment") and not asked:  # an object of a few pixels is found by none
            least = min(LEAST_WITH_PLACES, size)
            sides = [s for s in sides if s >= least] or [least]
        for side in sides:
            share = COMPARISON * budget / (images * (side / 224) ** 2)  # what one image may cost, times the epochs
            networks, each = _networks(recipe, network, share, STAND_INS.get(dataset.facts.task, STAND_IN), why)
            if share / each >= min(FAIR_EPOCHS, epochs / left):
                break
        most = min(epochs, MOST_COMPARED) / left
        found = Comparison(folds, networks, side, _epochs(share / each, most, cells, folds, why), cases, search)
        reason = "all" if cases == n else "most" if cases / n > WHOLE else "share"
        why["compare_cases"] = Message(f"plan.compare_cases.{reason}", {"cases": n})
        why["compare_size"] = (
            Message("plan.compare_size.final")
            if side == size
            else Message("plan.compare_size.patches" if whole else "plan.compare_size.small", {"effort": recipe.effort})
        )
    if cells == 1 and not recipe.imbalances:
        nothing = Message("plan.compare.nothing")
        why |= {field.name: nothing for field in fields(Comparison) if why.get(field.name, ASKED) != ASKED}
    chosen: dict[str, Any] = {
        name: value
        for name, value in (recipe.choose or {}).items()
        if name in ("compare_size", "compare_epochs", "compare_cases")
    }
    why |= dict.fromkeys(chosen, ASKED)
    found = replace(found, **chosen)
    if whole is None:
        return found
    looks = cells * found.compare_cases * recipe.seeds * max(len(recipe.imbalances), 1)
    return replace(found, compare_side=_side(found, size, whole, looks, budget, why))


def _side(found: Comparison, size: int, whole: int, looks: int, budget: float, why: dict[str, Message]) -> int:
    """The side of the images whose patches are compared: as in the final training, for what is thin or small there would be lost in
    smaller ones, as far as predictions cost no more beside trainings than they may there."""
    each = looks * OVERLAPPING * FORWARD * max(map(cost, found.compare_networks))
    affordable = int(224 * math.sqrt(PREDICTED * COMPARISON * budget / each))
    side = max(found.compare_size, min(whole, max(affordable, round(found.compare_size * whole / size))))
    values = {"side": whole}
    why["compare_side"] = Message("plan.compare_side" if side == whole else "plan.compare_side.affordable", values)
    return side


def _search(recipe: PlanSettings, cells: int, heads: bool, why: dict[str, Message]) -> str:
    if recipe.search != "auto":
        why["search"] = ASKED
        return recipe.search
    large = cells > LARGE and not heads
    reason = "halving" if large else "grid" if cells > 1 else "one_cell"
    why["search"] = Message(f"plan.search.{reason}", {"cells": cells})
    return "halving" if large else "grid"


def _epochs(affordable: float, most: float, cells: int, folds: int, why: dict[str, Message]) -> int:
    epochs = int(np.clip(affordable, LEAST_EPOCHS, most))
    what = Message("plan.compare.cells" if cells > 1 else "plan.compare.folds", {"cells": cells, "folds": folds})
    reason = "most" if affordable >= epochs + 1 else "fewest" if affordable < epochs else "share"
    why["compare_epochs"] = Message(f"plan.compare_epochs.{reason}", {"what": what})
    return epochs


def _networks(
    recipe: PlanSettings, network: str, share: float, stand_in: str, why: dict[str, Message]
) -> tuple[tuple[str, ...], float]:
    """The networks of the comparison, and what an image costs them; `share` is what it may cost for one epoch in all."""
    why["compare_networks"] = ASKED
    if chosen := (recipe.choose or {}).get("compare_networks"):
        return (chosen,), cost(chosen)
    own = sum(map(cost, recipe.networks)) / max(len(recipe.networks), 1)
    if len(recipe.networks) > 1 or (own and share / own >= LEAST_EPOCHS):
        return recipe.networks, own
    # In a wide network an image takes no longer than its multiply-adds.
    planned = min(cost(network), max(cost(network) / NARROW, COSTS["vgg16_bn(head=average)"]))
    values = {"share": COSTS[stand_in] / planned, "network": network}
    why["compare_networks"] = Message("plan.compare_networks.stand_in", values)
    return (stand_in,), COSTS[stand_in]


def _left(dataset: Dataset, recipe: PlanSettings) -> float:
    """The share of the cases that thinning leaves to train on, the mean over the imbalances; fewer cases, more epochs."""
    if not recipe.imbalances:
        return 1.0
    counts = dataset.part("train").counts
    positives, every = counts[dataset.positive], sum(counts.values())
    shares = []
    for text in recipe.imbalances:
        ratio = (every - positives) / positives if text == "own" else parse_ratio(text)
        shares.append(min(positives, (every - positives) / ratio) * (1 + ratio) / every)
    return float(np.mean(shares))
