"""The plan: what the recipe leaves open, decided from the data's fingerprint by fixed rules, each with its reason.

Nothing here measures the machine, so the same data and recipe give the same plan, and the same results, everywhere
that the kind of device is the same.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evenray.balance import parse_ratio
from evenray.core.recipe import Recipe
from evenray.core.spec import Step
from evenray.core.types import Dataset
from evenray.networks.anatomy import anatomy, totals

__all__ = ["Plan", "fingerprint", "kept_side", "make", "native_side"]

# What one image at 224 x 224 costs, in 10^9 multiply-adds of the forward pass (Simonyan & Zisserman 2014, configurations
# A and D); for the narrow ones what they take in time, which is more than they have multiply-adds.
COSTS = {"vgg16_bn": 15.5, "vgg16_bn(width=0.5)": 5.0, "vgg11_bn(width=0.5)": 2.5, "vgg11_bn(width=0.25)": 0.8}
CANDIDATES = ("vgg16_bn", "vgg16_bn(width=0.5)", "vgg11_bn(width=0.5)")
SIZES = (224, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 28)
# What training may cost in those units: two cores train through some SPEED of them in a second.
BUDGET = {"quick": 2_000, "standard": 11_000, "thorough": 75_000}
STEPS = {"quick": 300, "standard": 800, "thorough": 3000}
FOLDS = {"quick": 2, "standard": 3, "thorough": 5}
COMPARED = {"quick": (600, 32), "standard": (2000, 48), "thorough": (10**9, 64)}  # (cases, side in pixels)
LARGE = 24  # cells from which on a comparison stops the weak ones early
SPEED = 20  # of those units in a second, for what is told in minutes
EPOCHS = (6, 60)
LEAST_EPOCHS = 3
MOST_EPOCHS = 200
MOST_COMPARED = 20  # epochs
WHOLE = 0.5  # the share of the cases from which on a comparison takes all of them
NARROW = 1.5  # how much longer a look of a narrow network takes than its multiply-adds
ALONE = "one contrast, one remedy and one network: nothing is compared"
STAND_IN = "vgg11_bn(width=0.25)"
COMPARISON = 0.25  # the share of the budget that all cells of a comparison have together
GPU = 200
ENOUGH_TO_CHOOSE = 20
LEAST_PATIENCE = 5
LARGEST_BATCH = 256
MEMBERS = {"quick": 1, "standard": 3, "thorough": 5}
SHORTER = 0.75  # the share of a single network's steps that each of several gets
FEW = 10_000  # training cases below which the average of several networks is planned
FEWEST_STEPS = 16  # of an epoch, when a batch is made larger for a rare class


@dataclass(frozen=True)
class Plan:
    """Every setting of training and comparison; `why` has a sentence for each."""

    network: str
    size: int
    channels: int
    epochs: int
    members: int
    batch: int
    learning_rate: float
    keep: str
    patience: int
    views: str
    folds: int
    compare_networks: tuple[str, ...]
    compare_size: int
    compare_epochs: int
    compare_cases: int
    search: str
    why: dict[str, str]

    def choices(self) -> list[dict[str, Any]]:
        """The plan as a list of {name, value, why}, for plan.json."""
        values = asdict(self)
        return [{"name": name, "value": values[name], "why": why} for name, why in self.why.items()]


def fingerprint(dataset: Dataset) -> dict[str, Any]:
    """What the plan goes by: how many images a part and a class, how unequal, how large, grey or in colour, how deep."""
    train = dataset.part("train")
    counts = [count for count in train.counts.values() if count]
    cases = dataset.cases
    return {
        "cases": {name: len(dataset.part(name)) for name in ("train", "validation", "test")},
        "classes": train.counts, "imbalance": round(max(counts) / min(counts), 2), "side": native_side(dataset),
        "colour": round(float(np.mean(cases["channels"].to_numpy() == 3)), 4),
        "bits": int(cases["bits"].to_numpy().max()) if "bits" in cases.columns else None,
    }  # fmt: skip


def make(dataset: Dataset, recipe: Recipe, *, gpu: bool = False) -> Plan:
    """The plan for a split data set; `gpu` says that training runs on one."""
    train = dataset.part("train")
    n, why = len(train), dict[str, str]()
    budget = BUDGET[recipe.effort] * (GPU if gpu else 1)
    chosen = recipe.choose or {}
    channels = _channels(dataset, chosen, why)
    batch = recipe.batch or _batch(train, why)
    if recipe.batch:
        why["batch"] = "as asked"
    members = _members(n, recipe, chosen, why)
    epochs = recipe.epochs or _epochs(n, batch, members, recipe.effort, why)
    if recipe.epochs:
        why["epochs"] = "as asked"
    network, size = _network(dataset, recipe, n * epochs * members, budget, why)
    learning_rate = recipe.learning_rate or (1e-4 if recipe.weights and not recipe.frozen else 1e-3)
    why["learning_rate"] = _given(recipe.learning_rate) or (
        "gentle, for weights that come trained"
        if recipe.weights and not recipe.frozen
        else "the usual one of AdamW with a one-cycle schedule"
    )
    keep, why["keep"] = (chosen["keep"], "as asked") if "keep" in chosen else _keep(dataset)
    patience, why["patience"] = _patience(recipe, keep, epochs)
    views = recipe.views or ("dense" if recipe.scale_jitter else "centre")
    why["views"] = _given(recipe.views) or (
        "trained on crops at several scales, so it looks at the whole image at several"
        if recipe.scale_jitter
        else "one look at the whole image, as it was trained"
    )
    folds = recipe.folds or FOLDS[recipe.effort]
    why["folds"] = (
        _given(recipe.folds)
        or f"every case of the comparison is judged by a network that never saw it ('{recipe.effort}')"
    )
    compared = _comparison(dataset, recipe, network, size, epochs, folds, budget, why)
    if len(recipe.contrasts) * len(recipe.balances) * max(len(recipe.networks), 1) == 1 and not recipe.imbalances:
        why |= {name: ALONE for name in (*compared, "folds") if why[name] != "as asked"}
    for name in set(chosen) & set(compared) - {"compare_networks"}:
        compared[name], why[name] = chosen[name], "as asked"
    return Plan(
        network=network, size=size, channels=channels, epochs=epochs, members=members, batch=batch, keep=keep,
        learning_rate=learning_rate, patience=patience, views=views, folds=folds, **compared, why=why,
    )  # fmt: skip


def _given(value: object) -> str:
    return "" if value is None else "as asked"


def _batch(train: Dataset, why: dict[str, str]) -> int:
    """By the number of images, and larger where a class is so rare that most batches would have none of it."""
    n = len(train)
    rarest = min((count for count in train.counts.values() if count), default=n)
    batch = 64 if n >= 2000 else 32 if n >= 300 else 16
    why["batch"] = f"{n} training images: large enough for a steady gradient, small enough for many steps"
    wider = batch
    while wider * rarest < n and wider < LARGEST_BATCH and n >= 2 * FEWEST_STEPS * wider:
        wider *= 2
    if wider > batch:
        why["batch"] = (
            f"1 in {round(n / rarest)} training images is of the rarest class: a smaller batch would often have none"
        )
    return wider


def _epochs(n: int, batch: int, members: int, effort: str, why: dict[str, str]) -> int:
    """So many that about the steps that the effort stands for are taken, within bounds."""
    wanted, alone = round(STEPS[effort] * (SHORTER if members > 1 else 1)), STEPS[effort]
    epochs, longer = (int(np.clip(round(steps * batch / n), *EPOCHS)) for steps in (wanted, alone))
    why["epochs"] = f"about {wanted} steps of {batch} images ('{effort}')"
    if epochs in EPOCHS and epochs != round(wanted * batch / n):
        bound = f"no fewer than {epochs}" if epochs == EPOCHS[0] else f"no more than {epochs}"
        taken = epochs * -(-max(1, n - (batch > 1)) // batch)  # no step is taken on a single image left over
        why["epochs"] = (
            f"{taken} steps of {batch} images, where '{effort}' is for about {wanted}: {bound} epochs are planned"
        )
    if epochs < longer:
        why["epochs"] += ", fewer than one network alone would get"
    return epochs


def _members(n: int, recipe: Recipe, chosen: dict[str, Any], why: dict[str, str]) -> int:
    """How many networks of different seeds are trained and averaged."""
    if "members" in chosen:
        why["members"] = "as asked"
        return int(chosen["members"])
    count = MEMBERS[recipe.effort] if n < FEW and not recipe.weights else 1
    if count > 1:
        why["members"] = (
            f"{n} training images leave much to chance: the soft-maxes of {count} networks of different seeds are averaged, at"
            f" {count} times the cost of one"
        )
    elif recipe.weights:
        why["members"] = "networks that begin with the same weights would say much the same"
    else:
        why["members"] = (
            f"'{recipe.effort}' trains one" if n < FEW else f"{n} training images: one network is steady enough"
        )
    return count


def _channels(dataset: Dataset, chosen: dict[str, Any], why: dict[str, str]) -> int:
    if "channels" in chosen:
        why["channels"] = "as asked"
        return int(chosen["channels"])
    colour = float(np.mean(dataset.cases["channels"].to_numpy() == 3))
    why["channels"] = f"{100 * colour:.3g}% of the images are in colour" if colour else "all images are grey"
    return 3 if colour > 0.05 else 1


def _network(dataset: Dataset, recipe: Recipe, looks: int, budget: float, why: dict[str, str]) -> tuple[str, int]:
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
    told = _told(recipe, recipe.networks or (network,), looks, size, budget)
    at = f"{size} pixels" if recipe.size else f"{least} pixels or more"
    why["network"] = _given(recipe.network) or (
        f"the largest of {len(CANDIDATES)} candidates whose training the budget covers at {at}"
        if fits
        else f"the smallest of {len(CANDIDATES)} candidates; {told}"
    )
    why["size"] = _given(recipe.size) or f"images are {native} pixels long (median); {told}" + (
        "" if fits else ", and no smaller size is planned"
    )
    return network, size


def _told(recipe: Recipe, networks: tuple[str, ...], looks: int, size: int, budget: float) -> str:
    """What a training takes beside what is foreseen for it; several networks are reckoned by the dearest."""
    spent = looks * max(COSTS.get(name, COSTS["vgg16_bn"]) for name in networks) * (size / 224) ** 2 / budget
    told = f"{looks} looks at {size} pixels" + (
        "" if set(networks) <= set(COSTS) else ", reckoned as those of vgg16_bn,"
    )
    if spent <= 1:
        return f"{told} fit the budget of '{recipe.effort}'"
    foreseen = BUDGET[recipe.effort] / SPEED / 60
    return f"{told} take about {_brief(spent * foreseen)} minutes, more than the {_brief(foreseen)} that '{recipe.effort}' foresees"


def _brief(minutes: float) -> str:
    return f"{minutes:.1f}" if minutes < 9.95 else f"{minutes:.0f}"


def native_side(dataset: Dataset) -> int:
    """The longer side of the images as they come, in pixels (median)."""
    longest = np.maximum(dataset.cases["rows"].to_numpy(), dataset.cases["columns"].to_numpy())
    return int(np.median(longest))


def kept_side(size: int, native: int, scale: float) -> int:
    """The side at which images are kept for a network of `size` that looks at up to `scale` times it; never enlarged for it.

    >>> kept_side(224, 300, 16 / 7), kept_side(224, 28, 1.0)
    (300, 224)
    """
    return max(size, min(native, round(size * scale)))


def _keep(dataset: Dataset) -> tuple[str, str]:
    fewest = min(dataset.part("validation").counts.values())
    if fewest < ENOUGH_TO_CHOOSE:
        return "last", f"a validation part with {fewest} cases of its rarest class is too small to choose an epoch by"
    return "best", (
        "of all epochs the last whose validation AUPRC is within a standard error of the best"
        f" ({fewest} cases of the rarest class)"
    )


def _patience(recipe: Recipe, keep: str, epochs: int) -> tuple[int, str]:
    if recipe.patience is not None:
        return recipe.patience, "as asked"
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


def _comparison(
    dataset: Dataset,
    recipe: Recipe,
    network: str,
    size: int,
    epochs: int,
    folds: int,
    budget: float,
    why: dict[str, str],
) -> dict[str, Any]:
    """How the grid is gone through: with which networks, on how many cases of which size, for how long."""
    n, left = len(dataset.part("train")) + len(dataset.part("validation")), _left(dataset, recipe)
    cells = len(recipe.contrasts) * len(recipe.balances) * max(len(recipe.networks), 1)
    large = cells > LARGE and not recipe.frozen
    halving = recipe.search == "halving" or (recipe.search == "auto" and large)
    why["search"] = _given(recipe.search if recipe.search != "auto" else None) or (
        f"{cells} cells: the weak ones are stopped early"
        if large
        else f"{cells} cells: each is trained whole"
        if cells > 1
        else "one cell, trained whole at each imbalance"
    )
    found: dict[str, Any] = {"search": "halving" if halving else "grid"}
    if recipe.frozen:
        why["compare_networks"] = why["compare_size"] = "the trunk is frozen: what it makes of each image is kept"
        why["compare_epochs"] = why["compare_cases"] = "a head on kept features takes seconds"
        return found | {
            "compare_networks": (network,), "compare_size": size, "compare_cases": n,
            "compare_epochs": min(int(epochs / left), MOST_EPOCHS) if left < 1 else epochs,
        }  # fmt: skip
    cases, side = min(COMPARED[recipe.effort][0], n), min(size, COMPARED[recipe.effort][1])
    looks = cells * (folds - 1) * cases * left * recipe.seeds * max(len(recipe.imbalances), 1)
    share = COMPARISON * budget / (looks * (side / 224) ** 2)  # what one look may cost, times the epochs
    networks, cost = _compared(recipe, network, share, why)
    epochs = int(np.clip(share / cost, LEAST_EPOCHS, min(epochs, MOST_COMPARED) / left))
    what = f"{cells} cells of {folds} folds" if cells > 1 else f"{folds} folds"
    why["compare_epochs"] = (
        f"the most that are planned: {what} cost less than a quarter of what the final training may cost"
        if share / cost >= epochs + 1
        else f"the fewest that are planned: {what} cost more than a quarter of what the final training may cost"
        if share / cost < epochs
        else f"{what} share a quarter of what the final training may cost"
    )
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
    return found | {
        "compare_networks": networks, "compare_size": side, "compare_cases": cases, "compare_epochs": epochs,
    }  # fmt: skip


def _compared(recipe: Recipe, network: str, share: float, why: dict[str, str]) -> tuple[tuple[str, ...], float]:
    """The networks of the comparison, and what a look costs them; `share` is what it may cost for one epoch in all."""
    why["compare_networks"] = "as asked"
    if chosen := (recipe.choose or {}).get("compare_networks"):
        return (chosen,), _cost(chosen)
    own = sum(map(_cost, recipe.networks)) / max(len(recipe.networks), 1)
    if len(recipe.networks) > 1 or (own and share / own >= LEAST_EPOCHS):
        return recipe.networks, own
    # Of a wide network a look takes no longer than its multiply-adds.
    dear = min(_cost(network), max(_cost(network) / NARROW, COSTS["vgg16_bn"]))
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


def _cost(network: str) -> float:
    """What one image at 224 x 224 costs; of a narrow network more than its multiply-adds, for it takes that in time."""
    if network in COSTS:
        return COSTS[network]
    if Step.of(network).name in ("torchvision", "timm"):  # shapes alone would want their weights
        return COSTS["vgg16_bn"]
    return NARROW * totals(anatomy(network, classes=2))["multiply_adds"] / 1e9
