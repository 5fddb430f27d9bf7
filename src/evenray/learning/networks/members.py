"""What an average is made of."""

from __future__ import annotations

from ._classifier import Classifier
from .averaged import Averaged
from .mixed import Mixed, Part, part_of

__all__ = ["first_alone", "members"]


def members(model: Classifier) -> list[Classifier]:
    """The Classifiers that `average` or `mix` made one of; of any other, itself alone. They share its weights, and take its images.

    >>> from evenray.learning.networks import average, build
    >>> one = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> [member.description == one.description for member in members(average([one, one]))]
    [True, True]
    """
    whole, network = model.description, model.network
    if isinstance(network, Mixed):
        found = [part_of(part, model) for part in network.parts]
    elif isinstance(network, Averaged):
        about = whole.model_copy(update={
            "members": 1, "parameters": whole.parameters // whole.members,
            "attribution_layer": whole.attribution_layer.removeprefix("members.0."),
        })  # fmt: skip
        found = [Classifier(one, about) for one in network.each]
    elif isinstance(network, Part) and len(inner := members(network.classifier)) > 1:
        found = [part_of(Part(one, model.size), model) for one in inner]
    else:
        return [model]
    return [one.to(model.mean.device).train(model.training) for one in found]


def first_alone(model: Classifier) -> Classifier:
    """The first network that an average is made of, by itself: it takes images of its own size; of any other, itself.

    >>> from evenray.learning.networks import average, build, mix
    >>> small, large = (build("vgg11(width=0.1)", classes=2, channels=1, size=size) for size in (28, 56))
    >>> first_alone(mix([average([small, small]), large], 56)).size
    28
    """
    if isinstance(model.network, Mixed):
        return first_alone(model.network.parts[0].classifier)
    return members(model)[0]
