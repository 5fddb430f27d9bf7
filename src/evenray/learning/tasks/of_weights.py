"""The network that weights are for where none is named: their own, or of masks and boxes one on its convolutions."""

from __future__ import annotations

import torch
from torch import nn

from evenray.core.annotations import Task
from evenray.core.artefacts.weight import Weight
from evenray.core.errors import EvenrayError, UsageError
from evenray.core.spec import Step
from evenray.learning.networks import detectors, networks, segmenters
from evenray.learning.networks.pyramid import trunk_of, vgg_trunk

__all__ = ["KINDS", "network_of"]

KINDS = {"segment": segmenters, "detect": detectors}  # by task, where networks of whole images are none for it
SIDE = 224


def network_of(weight: Weight, task: Task | None) -> str:
    """The spec of the network that weights are taken for where none is named; UsageError where a task has none for them. Of masks and
    boxes it is the usual one on their convolutions, without what their spec says of a head.

    >>> about = Weight(name="w", network="vgg16(head=levels, width=0.5)", size=224, mean=(0.5,), std=(0.25,), licence="", source="",
    ...     weights_file="w.pth", sha256="0" * 64)
    >>> network_of(about, "segment"), network_of(about, "detect"), network_of(about, "tag")
    ('unet(vgg16(width=0.5), batch_norm=True)', 'ssd(vgg16(width=0.5))', 'vgg16(head=levels, width=0.5)')
    """
    step = Step.of(weight.network)
    if task is None or step.name in KINDS.get(task, networks):
        return weight.network
    what = {"segment": "masks", "detect": "boxes"}.get(task, "labels of whole images")
    refused = f"The weights '{weight.name}' are of {weight.network}, which is no trunk for {what}"
    if step.name not in networks or task not in KINDS:
        raise UsageError(f"{refused}; take others, or --pretrained none.")
    spec = weight.network
    if "head" in networks.parameters(step.name):
        spec = f"{step.name}(width={step.kwargs['width']})" if "width" in step.kwargs else step.name
    try:
        with torch.device("meta"):
            trunk = (trunk_of if task == "segment" else vgg_trunk)(spec, 3, SIDE)
    except EvenrayError as error:
        raise UsageError(f"{refused}: {error}") from None
    if task == "detect":
        return f"ssd({spec})"
    normed = any(isinstance(layer, nn.BatchNorm2d) for layer in trunk.modules())
    return (
        f"unet({spec})" if normed else f"unet({spec}, batch_norm=True)"
    )  # a way up that is not normalised learns slowly
