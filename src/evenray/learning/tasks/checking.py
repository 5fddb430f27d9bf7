"""What a recipe cannot ask of masks, and of boxes neither."""

from __future__ import annotations

from evenray.core.errors import UsageError
from evenray.core.recipe import Recipe
from evenray.core.spec import Step, parse
from evenray.learning.balance import make
from evenray.learning.networks import segmenters
from evenray.metrics.masks import threshold_rule

from .pixel_remedies import BACKGROUND_NAME

__all__ = ["check_masks", "check_places", "check_view"]

VIEWS = ("centre", "flips")


def check_masks(recipe: Recipe, classes: tuple[str, ...]) -> None:
    """UsageError for networks, remedies and settings that are about whole images."""
    for spec in recipe.networks:
        if Step.of(spec).name not in segmenters:
            raise UsageError(
                f"--network {spec} tells whole images apart, and these have masks; give unet({spec}) or fcn8s({spec})."
            )
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
