"""Which weights at hand may serve a run that names none: those of others, for networks of whole images, that load."""

from __future__ import annotations

from evenray.core.artefacts.weight import Weight
from evenray.core.errors import EvenrayError
from evenray.core.messages import Message
from evenray.core.spec import Step
from evenray.core.types import Dataset
from evenray.learning import networks
from evenray.learning.plan.starts import Start
from evenray.learning.tasks import task_of

__all__ = ["built", "refused"]


def refused(weight: Weight) -> Message | None:
    """Why weights are not taken unasked; None where they may be. What evenray trained may have learnt from images, or patients,
    that are in the parts of this run: cross-validation would favour it, and the test part would not tell."""
    if weight.own:
        return Message("plan.start.own", {"weights": weight.name})
    if Step.of(weight.network).name not in networks.networks:
        return Message("plan.start.not_of_images", {"network": weight.network})
    return None


def built(start: Start, dataset: Dataset, channels: int) -> networks.Classifier | Message:
    """The network of a start with its weights, for these images; why not, where the weights do not fit or are damaged."""
    assert start.weights is not None
    try:
        return networks.build(
            start.network, classes=len(dataset.classes), channels=channels, size=start.size, pretrained=start.weights.name,
            output=task_of(dataset.facts.task).output,
        )  # fmt: skip
    except EvenrayError as error:
        return Message("plan.start.does_not_fit", {"reason": str(error)})
