"""What can be wrong with a recipe, found before hours of work: unknown names, values out of bounds, a missing file or device."""

from __future__ import annotations

import numpy as np
import torch

from evenray.core.annotations import Task
from evenray.core.errors import UsageError, unknown_name
from evenray.core.names import as_path
from evenray.core.recipe import Recipe
from evenray.core.spec import Step, parse
from evenray.core.types import Image
from evenray.data.audit import BLOCKING
from evenray.evidence.compare import check_metric
from evenray.evidence.explain import attributions
from evenray.images.contrast import enhance
from evenray.learning import balance as remedies
from evenray.learning import networks
from evenray.learning.networks.weights import named
from evenray.learning.tasks.of_weights import network_of
from evenray.learning.tta import check_tta
from evenray.metrics import calibrations, rules
from evenray.metrics.detection_threshold import detection_rules

__all__ = ["check_recipe"]

RAMP = Image(np.arange(256, dtype=np.uint8).reshape(16, 16), value_range=(0, 255))
USUAL_SIZE = 224
OF_MASKS = ("dice", "iou", "at")


def check_recipe(recipe: Recipe) -> None:
    """Try every spec and file of a recipe on next to nothing; UsageError or ReadError says what is wrong with which."""
    for spec in recipe.contrasts:
        enhance(RAMP, spec)
    for spec in recipe.balances:
        for step in parse(spec):
            remedies.balances.bind(step)
    if recipe.threshold is not None:
        _check_threshold(recipe.threshold)
    for name in recipe.allow:
        if name not in BLOCKING:
            raise unknown_name("finding to allow", name, BLOCKING)
    calibrations.bind(recipe.calibration)
    if recipe.tta is not None:
        check_tta(recipe.tta, flips=recipe.flips)
    if recipe.metric is not None:
        check_metric(recipe.metric)
    for ratio in recipe.imbalances:
        if ratio != "own":
            remedies.parse_ratio(ratio)
    if recipe.attribution is not None:
        attributions.bind(recipe.attribution)
    if recipe.regions is not None and not as_path(recipe.regions).exists():
        raise UsageError(
            f"regions is '{recipe.regions}', and there is no such file or folder; give one of boxes or masks."
        )
    _check_networks(recipe, recipe.size or USUAL_SIZE)


def _check_threshold(rule: str) -> None:
    """Of which task a rule is, the data tell later; the task checks its numbers then."""
    name = Step.of(rule).name
    if name in rules:
        rules.bind(rule)
    elif name in detection_rules:
        detection_rules.bind(rule)
    elif name not in OF_MASKS:
        raise unknown_name("threshold rule", name, (*rules, *OF_MASKS, *detection_rules))


def _check_networks(recipe: Recipe, size: int) -> None:
    if chosen := (recipe.choose or {}).get("compare_networks"):
        _check_network(chosen, size)
    tuned = networks.fine_tuning(recipe.finetune, blocks=99)
    if recipe.weights is None:
        if tuned.still:
            raise UsageError(
                f"--finetune '{recipe.finetune}' keeps weights as they come, and there are none; give --pretrained, or leave"
                " it out."
            )
        for spec in recipe.networks:
            _check_network(spec, size)
        return
    if recipe.frozen and recipe.scale_jitter:
        raise UsageError("--scale-jitter changes every image anew, and --finetune frozen looks at each once; drop one.")
    known = named(recipe.weights)
    network = recipe.network or (network_of(known, _task(recipe)) if known else None)
    if not isinstance(network, str):
        raise UsageError(
            f"The pretrained weights '{recipe.pretrained}' are for one network; name it, as with --network vgg16."
        )
    # Grey takes the weights of grey and of colour images.
    model = networks.build(network, classes=2, channels=1, size=size, pretrained=recipe.weights)
    networks.freeze(model, recipe.finetune)


def _task(recipe: Recipe) -> Task | None:
    """The task where the recipe says it; else the data tell it later."""
    return recipe.task or ("segment" if recipe.masks else "detect" if recipe.boxes else None)


def _check_network(spec: str, size: int) -> None:
    with torch.device("meta"):
        networks.bound(spec)(2, 1, size)
