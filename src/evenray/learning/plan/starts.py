"""What the plan can start from: weights at hand, in each of three ways, and from scratch; how far each is tried, by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evenray.core.artefacts.weight import Weight
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.core.tags import ABSENT, PRESENT
from evenray.core.types import Dataset
from evenray.learning import balance as remedies
from evenray.learning.features import forms_of

from .budget import SPEED, cost
from .images import native_side

__all__ = ["ENLARGED", "FOLDS", "JUDGED", "Start", "Tried", "look", "starts", "tried"]

WAYS = ("frozen", "last(1)", "all(decay=0.4)")
SIZES = (224, 192, 160, 128, 112, 96, 64)
LEAST = 96  # pixels, the least side of larger images
ENLARGED = (112, 64)  # what smaller images are enlarged to: features are found at their size, and blur has none
FOLDS = {"quick": 2, "standard": 3, "thorough": 3}
JUDGED = {"quick": 500, "standard": 1000, "thorough": 4000}  # cases
FINE_EPOCHS = {"quick": 6, "standard": 10, "thorough": 20}
JUDGING = 1.5  # what judging costs in all, in budgets of the final training
FORWARD = 1 / 3  # of what training on an image costs
LAST = 0.45  # of what training all of a network costs, where its last block alone learns
EVERY = 0.25  # of the budget of judging, which features of all images may take


@dataclass(frozen=True)
class Start:
    """Something to start from, and the settings that the plan is then made with; from scratch where `weights` is None.

    With `beside` it is averaged with what another start leads to.
    """

    weights: Weight | None
    network: str
    size: int
    finetune: str = "all"
    epochs: int | None = None
    beside: Start | None = None

    @property
    def frozen(self) -> bool:
        return self.weights is not None and self.finetune == "frozen"

    @property
    def told(self) -> str:
        """
        >>> Start(None, "vgg11", 48).told, Start(None, "vgg11", 48, beside=Start(None, "vgg13", 64)).told
        ('vgg11, 48', 'vgg11, 48 + vgg13, 64')
        """
        ways = (self.weights.name, self.finetune) if self.weights else (self.network,)
        return f"{', '.join(ways)}, {self.size}" + (f" + {self.beside.told}" if self.beside else "")

    def settings(self, recipe: PlanSettings) -> PlanSettings:
        """The recipe as if this start had been asked for."""
        if self.weights is None:
            return recipe.but(pretrained="none")
        return recipe.but(
            pretrained=self.weights.name, network=self.network, size=self.size, finetune=self.finetune,
            epochs=recipe.epochs or self.epochs,
        )  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """The starts that are cross-validated, and those that are not, each with the reason."""

    starts: tuple[Start, ...]
    left_out: tuple[tuple[Start, Message], ...]


def tried(
    dataset: Dataset, recipe: PlanSettings, scratch: Start, scratch_epochs: int, here: Mapping[str, Weight], budget: float
) -> Tried:  # fmt: skip
    """As many starts as JUDGING budgets cover, the cheapest first; from scratch is always among them.

    A start is cross-validated on the same cases as the others, a frozen trunk at the price of one look at every image.
    """
    cases = len(dataset.part("train")) + len(dataset.part("validation"))
    judged, rounds = min(cases, JUDGED[recipe.effort]), FOLDS[recipe.effort] - 1
    left = JUDGING * budget - rounds * judged * scratch_epochs * look(scratch)
    taken, left_out = [scratch], []
    found = list(starts(dataset, recipe, here, budget))
    for start in sorted(found, key=lambda start: _price(start, recipe, cases, judged, rounds)):
        price = _price(start, recipe, cases, judged, rounds)
        if start.frozen and (changing := _changes_images(recipe, dataset)):
            left_out.append((start, Message("plan.start.changes_images", {"method": changing})))
        elif price > left:
            minutes = price / SPEED / 60
            left_out.append((start, Message("plan.start.costs", {"minutes": minutes, "effort": recipe.effort})))
        else:
            taken.append(start)
            left -= price
    return Tried(tuple(taken), tuple(left_out))


def starts(dataset: Dataset, recipe: PlanSettings, here: Mapping[str, Weight], budget: float) -> Iterator[Start]:
    """Every way of starting from weights at hand, each at the largest size that its own training covers; small images at each
    of two sizes."""
    for weight in here.values():
        fixed = weight.fixed
        for way in ("frozen",) if fixed else WAYS:
            epochs = None if way == "frozen" else FINE_EPOCHS[recipe.effort]

            def at(side: int, weight: Weight = weight, way: str = way, epochs: int | None = epochs) -> Start:
                return Start(weight, weight.network, side, way, epochs)

            if fixed or recipe.size:
                yield at(weight.size if fixed else recipe.size or weight.size)
            elif native_side(dataset) < LEAST:
                yield from map(at, ENLARGED)
            else:
                sides = [side for side in SIZES if LEAST <= side <= native_side(dataset)]
                yield next((start for start in map(at, sides) if _own(start, dataset, recipe) <= budget), at(sides[-1]))


def _own(start: Start, dataset: Dataset, recipe: PlanSettings) -> float:
    """What the final training from a start costs; features of all images may take EVERY of what judging has, for all weights."""
    cases = len(dataset.part("train"))
    if start.frozen:
        every = cases + len(dataset.part("validation"))
        return every * len(forms_of(recipe.flips)) * look(start) / (EVERY * JUDGING)
    return cases * (recipe.epochs or start.epochs or 1) * look(start)


def _price(start: Start, recipe: PlanSettings, cases: int, judged: int, rounds: int) -> float:
    if start.frozen:
        return cases * len(forms_of(recipe.flips)) * look(start)
    return rounds * judged * (recipe.epochs or start.epochs or 1) * look(start)


def look(start: Start) -> float:
    """What one image costs: a look of a frozen trunk, a step of training else."""
    work = cost(start.network)
    if start.weights is not None and start.weights.multiply_adds is not None and start.weights.fixed:
        work = cost(start.network, start.weights.multiply_adds * (224 / start.weights.size) ** 2)
    share = FORWARD if start.frozen else LAST if start.finetune.startswith("last") else 1.0
    return share * work * (start.size / 224) ** 2


def _changes_images(recipe: PlanSettings, dataset: Dataset) -> str:
    """What each step would change images by, which a trunk that sees each once does not allow; empty for nothing."""
    if recipe.scale_jitter:
        return "scale_jitter"
    asked = (dataset.classes, dataset.positive) if dataset.facts.task == "classify" else ((ABSENT, PRESENT), PRESENT)
    made = ((spec, remedies.make(spec, [1000] * len(asked[0]), *asked)) for spec in recipe.balances)
    return next((spec for spec, remedy in made if remedy.needs_images), "")
