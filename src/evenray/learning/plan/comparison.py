"""How contrasts, remedies and networks are compared within a share of the budget."""

from __future__ import annotations

from typing import Any

import numpy as np

from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.learning.balance import parse_ratio

from .budget import COSTS, NARROW, cost
from .network import SIZES
from .training import ASKED

__all__ = ["COMPARED", "WHOLE", "compared"]

FOLDS = {"quick": 2, "standard": 3, "thorough": 5}
COMPARED = {"quick": (600, 32), "standard": (2000, 48), "thorough": (10**9, 64)}  # (cases, side in pixels)
LARGE = 24  # cells from which on a comparison stops the weak ones early
LEAST_EPOCHS = 3
FAIR_EPOCHS = 6  # for fewer of them the images are made smaller
MOST_EPOCHS = 200
MOST_COMPARED = 20  # epochs
WHOLE = 0.5  # the share of the cases from which on a comparison takes all of them
ALONE = "one contrast, one remedy and one network: nothing is compared"
STAND_IN = "vgg11_bn(width=0.25)"
COMPARISON = 0.25  # the share of the budget that all cells of a comparison have together


def compared(
    dataset: Dataset, recipe: Recipe, network: str, size: int, epochs: int, budget: float, why: dict[str, str]
) -> dict[str, Any]:
    """How the grid is gone through: in how many folds, with which networks, on how many cases of which size, for how long."""
    if recipe.folds:
        folds, why["folds"] = recipe.folds, ASKED
    else:
        folds = FOLDS[recipe.effort]
        why["folds"] = f"every case of the comparison is judged by a network that never saw it ('{recipe.effort}')"
    cells = len(recipe.contrasts) * len(recipe.balances) * max(len(recipe.networks), 1)
    found: dict[str, Any] = {"folds": folds, "search": _search(recipe, cells, why)}
    n, left = len(dataset.part("train")) + len(dataset.part("validation")), _left(dataset, recipe)
    if recipe.frozen:
        why["compare_networks"] = why["compare_size"] = "the trunk is frozen: what it makes of each image is kept"
        why["compare_epochs"] = why["compare_cases"] = "a head on kept features takes seconds"
        found |= {
            "compare_networks": (network,), "compare_size": size, "compare_cases": n,
            "compare_epochs": min(int(epochs / left), MOST_EPOCHS) if left < 1 else epochs,
        }  # fmt: skip
    else:
        cases = min(COMPARED[recipe.effort][0], n)
        looks = cells * (folds - 1) * cases * left * recipe.seeds * max(len(recipe.imbalances), 1)
        asked = (recipe.choose or {}).get("compare_size")
        sides = [asked] if asked else [s for s in (size, *SIZES) if s <= min(size, COMPARED[recipe.effort][1])]
        for side in sides:
            share = COMPARISON * budget / (looks * (side / 224) ** 2)  # what one look may cost, times the epochs
            networks, each = _networks(recipe, network, share, why)
            if share / each >= min(FAIR_EPOCHS, epochs / left):
                break
        what = f"{cells} cells of {folds} folds" if cells > 1 else f"{folds} folds"
        found |= {
            "compare_networks": networks, "compare_size": side, "compare_cases": cases,
            "compare_epochs": _epochs(share / each, min(epochs, MOST_COMPARED) / left, what, why),
        }  # fmt: skip
        why["compare_cases"] = (
            "all of the training and validation parts"
            if cases == n
            else f"more than half of the training and validation parts: all {n} are taken"
            if cases / n > WHOLE
            else "of the training and validation parts, whole patients, in their class ratio"
        )
        why["compare_size"] = (
            "as in the final training"
            if side == size
            else f"many looks at small images tell more than few at large ones ('{recipe.effort}')"
        )
    if cells == 1 and not recipe.imbalances:
        why |= {name: ALONE for name in found if why[name] != ASKED}
    for name in set(recipe.choose or {}) & set(found) - {"compare_networks"}:
        found[name], why[name] = (recipe.choose or {})[name], ASKED
    return found


def _search(recipe: Recipe, cells: int, why: dict[str, str]) -> str:
    large = cells > LARGE and not recipe.frozen
    if recipe.search != "auto":
        why["search"] = ASKED
        return recipe.search
    why["search"] = (
        f"{cells} cells: the weak ones are stopped early"
        if large
        else f"{cells} cells: each is trained whole"
        if cells > 1
        else "one cell, trained whole at each imbalance"
    )
    return "halving" if large else "grid"


def _epochs(affordable: float, most: float, what: str, why: dict[str, str]) -> int:
    epochs = int(np.clip(affordable, LEAST_EPOCHS, most))
    why["compare_epochs"] = (
        f"the most that are planned: {what} cost less than a quarter of what the final training may cost"
        if affordable >= epochs + 1
        else f"the fewest that are planned: {what} cost more than a quarter of what the final training may cost"
        if affordable < epochs
        else f"{what} share a quarter of what the final training may cost"
    )
    return epochs


def _networks(recipe: Recipe, network: str, share: float, why: dict[str, str]) -> tuple[tuple[str, ...], float]:
    """The networks of the comparison, and what a look costs them; `share` is what it may cost for one epoch in all."""
    why["compare_networks"] = ASKED
    if chosen := (recipe.choose or {}).get("compare_networks"):
        return (chosen,), cost(chosen)
    own = sum(map(cost, recipe.networks)) / max(len(recipe.networks), 1)
    if len(recipe.networks) > 1 or (own and share / own >= LEAST_EPOCHS):
        return recipe.networks, own
    # Of a wide network a look takes no longer than its multiply-adds.
    dear = min(cost(network), max(cost(network) / NARROW, COSTS["vgg16_bn"]))
    why["compare_networks"] = (
        "a VGG-11 of a quarter of the width ranks contrasts and remedies; a look costs it about"
        f" {COSTS[STAND_IN] / dear:.0%} of what it costs {network}"
    )
    return (STAND_IN,), COSTS[STAND_IN]


def _left(dataset: Dataset, recipe: Recipe) -> float:
    """The share of the cases that thinning leaves to train on, the mean over the imbalances; fewer cases, more epochs."""
    counts = dataset.part("train").counts
    sick, every = counts[dataset.positive], sum(counts.values())
    shares = []
    for text in recipe.imbalances:
        ratio = (every - sick) / sick if text == "own" else parse_ratio(text)
        positives = min(sick, (every - sick) / ratio)
        shares.append(positives * (1 + ratio) / every)
    return float(np.mean(shares)) if shares else 1.0
