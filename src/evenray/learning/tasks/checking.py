"""What a recipe cannot ask of masks, and of boxes neither; and which networks it can ask of a task."""

from __future__ import annotations

from evenray.core.annotations import Task
from evenray.core.errors import UsageError
from evenray.core.recipe import Recipe
from evenray.core.spec import Step, parse
from evenray.learning.balance import make
from evenray.learning.networks import classifier_of, networks
from evenray.learning.networks.weights import named
from evenray.metrics.masks import threshold_rule

from .of_weights import KINDS, network_of
from .pixel_remedies import BACKGROUND_NAME

__all__ = ["check_masks", "check_networks", "check_places", "check_view"]

VIEWS = ("centre", "flips")


def check_masks(recipe: Recipe, classes: tuple[str, ...]) -> None:
    """UsageError for networks, remedies and settings that are about whole images."""
    check_networks(recipe, "segment")
    names = (BACKGROUND_NAME, *classes)
    for spec in recipe.balances:
        remedy = make(spec, [1000] * len(names), names, classes[0] if len(classes) == 1 else None)
        if remedy.mix is not None:
            raise UsageError(f"{spec} mixes images, whose masks cannot be mixed; leave it out.")
        if remedy.hard_negatives is not None:
            raise UsageError(f"{spec} is about boxes, and these images have masks; leave it out.")
        if remedy.rule is not None:
            threshold_rule(remedy.rule)
    check_places(recipe)
    for given, why in (
        (recipe.imbalances, "--imbalance thins a class of images"),
        (recipe.scale_jitter, "--scale-jitter crops images to labels that hold for all of them"),
        (recipe.patient_score == "max", "--patient-score max is about one probability an image"),
    ):
        if given:
            raise UsageError(f"{why}, and masks tell pixels; leave it out.")


def check_networks(recipe: Recipe, task: Task) -> None:
    """UsageError for networks of another task, and for weights that have none for this one."""
    asked = [("--network ", spec) for spec in recipe.networks]
    if (compared := (recipe.choose or {}).get("compare_networks")) is not None:
        asked.append(("--choose compare_networks=", compared))
    for option, spec in asked:
        if Step.of(spec).name in KINDS.get(task, networks):
            continue
        trunk = spec if Step.of(spec).name in networks else classifier_of(spec)
        told, give = {
            "segment": ("masks", f"unet({trunk}) or fcn8s({trunk})"), "detect": ("boxes", f"ssd({trunk})")
        }.get(task, ("labels", trunk))  # fmt: skip
        other = "tells whole images apart" if trunk == spec else "tells places in images apart"
        raise UsageError(f"{option}{spec} {other}, and these have {told}; give {give}.")
    if recipe.weights is not None and not recipe.networks and (known := named(recipe.weights)) is not None:
        network_of(known, task)


def check_places(recipe: Recipe) -> None:
    """UsageError for views and patches that a task of places in images, masks or boxes, does not have."""
    if recipe.tta is not None:
        check_view(recipe.tta)
    if recipe.patch and recipe.size and recipe.patch > recipe.size:
        raise UsageError(f"--patch is {recipe.patch}, but images are of --size {recipe.size}; give a smaller one.")


def check_view(view: str) -> None:
    """UsageError for a test-time augmentation that masks and boxes do not have."""
    names = [str(step) for step in parse(view)]
    if len(names) != 1 or names[0] not in VIEWS:
        raise UsageError(f"--tta is '{view}', but masks and boxes are told place by place; give centre or flips.")
