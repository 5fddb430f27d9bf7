"""Fine-tuning as people do it: which part trains, and how fast each part learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from evenray.core.errors import UsageError
from evenray.core.registry import Registry

from ._classifier import Classifier

__all__ = ["FineTuning", "features", "fine_tuning", "fine_tunings", "freeze", "parameter_groups"]

fine_tunings = Registry(
    "way of fine-tuning",
    {
        "all": "evenray.learning.networks.finetune:everything",
        "last": "evenray.learning.networks.finetune:last",
        "frozen": "evenray.learning.networks.finetune:frozen",
    },
    context=1,
)
Decay = Annotated[float, Gt(0), Le(1)]


@dataclass(frozen=True)
class FineTuning:
    """How many blocks of the trunk stay as they are, from the image upwards, and how much slower each block below learns."""

    still: int
    decay: float = 1.0


def fine_tuning(spec: str, blocks: int = 5) -> FineTuning:
    """What a spec means for a trunk of so many blocks: `all`, `last(2)`, `frozen`; a VGG has five, each up to its pool.

    >>> fine_tuning("last(2, decay=0.4)"), fine_tuning("frozen").still
    (FineTuning(still=3, decay=0.4), 5)
    """
    found: FineTuning = fine_tunings.bind(spec)(blocks)
    return found


def everything(blocks: int, decay: Decay = 1.0) -> FineTuning:
    """Everything trains; each block at `decay` times the learning rate of the one above it."""
    return FineTuning(0, decay)


def last(blocks: int, count: Annotated[int, Ge(1)] = 1, decay: Decay = 1.0) -> FineTuning:
    """The head and the last `count` blocks train."""
    if count > blocks:
        raise UsageError(f"last({count}) names more blocks than the network has: give up to {blocks}.")
    return FineTuning(blocks - count, decay)


def frozen(blocks: int) -> FineTuning:
    """The head alone trains."""
    return FineTuning(blocks)


def freeze(model: Classifier, what: str) -> Classifier:
    """Choose what trains, by a spec of `fine_tunings`; what is frozen gets no gradient and stays in evaluation, so
    batch statistics rest too. Returns the model.

    >>> from .. import networks
    >>> model = freeze(networks.build("vgg11(head=average, width=0.1)", classes=2, channels=1, size=28), "last(1)")
    >>> [name for name, p in model.network.named_parameters() if p.requires_grad]
    ['features.16.weight', 'features.16.bias', 'features.18.weight', 'features.18.bias',
     'classifier.1.weight', 'classifier.1.bias']
    """
    blocks = model.network.blocks
    still = fine_tuning(what, len(blocks)).still
    model.freeze_modules([f"network.{name}" for block in blocks[:still] for name in block])
    return model


def features(model: Classifier, x_NCHW: Tensor) -> Tensor:
    """What a frozen trunk makes of images, without gradients: compute once, train `model.head` on it.

    (N, D) where the head reads a vector, (N, C, H, W) where the images are larger than the head was made for.
    """
    with torch.no_grad():
        return model.features(x_NCHW)


class ParameterGroup(TypedDict):
    """A group as torch's optimisers take it."""

    name: str
    params: list[nn.Parameter]
    lr: float


def parameter_groups(model: Classifier, learning_rate: float, *, decay: float = 1.0) -> list[ParameterGroup]:
    """Groups for a torch optimiser: the head at `learning_rate`, each block below at `decay` times the one above.

    Discriminative learning rates (Howard & Ruder 2018, section 3.2, who divide by 2.6: decay 0.38). Frozen parameters
    are left out. Every group has a `name`: head, block5 ... block1.
    """
    if not 0 < decay <= 1:
        raise UsageError(f"decay is {decay}; give a factor above 0 and up to 1.")
    network = model.network
    stages = [("head", network.head_modules)]
    stages += [(f"block{i}", block) for i, block in reversed(list(enumerate(network.blocks, 1)))]
    groups = list[ParameterGroup]()
    for depth, (name, modules) in enumerate(stages):
        parameters = [p for module in modules for p in _parameters(network, module)]
        if parameters:
            groups.append({"name": name, "params": parameters, "lr": learning_rate * decay**depth})
    return groups


def _parameters(network: nn.Module, module: str) -> list[nn.Parameter]:
    return [parameter for parameter in network.get_submodule(module).parameters() if parameter.requires_grad]
