"""Fine-tuning as people do it: which part trains, and how fast each part learns."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import UsageError
from ._classifier import Classifier

__all__ = ["features", "freeze", "parameter_groups"]


def freeze(model: Classifier, what: str) -> Classifier:
    """Choose what stays as it is: `none`, `trunk` (only the head trains), or `blocks=N`, the first N blocks.

    A VGG has five blocks, each up to its pool. What is frozen gets no gradient and stays in evaluation, so batch
    statistics rest too. Returns the model; UsageError for anything else.

    >>> from .. import networks
    >>> model = freeze(networks.build("vgg11(width=0.1)", classes=2, channels=1, size=28), "blocks=4")
    >>> [name for name, p in model.network.named_parameters() if p.requires_grad]
    ['features.16.weight', 'features.16.bias', 'features.18.weight', 'features.18.bias',
     'classifier.1.weight', 'classifier.1.bias']
    """
    blocks = model.network.blocks
    number = re.fullmatch(r"blocks=(\d+)", what)
    if what == "none":
        count = 0
    elif what == "trunk":
        count = len(blocks)
    elif number and int(number.group(1)) <= len(blocks):
        count = int(number.group(1))
    else:
        raise UsageError(f"freeze is '{what}'; give none, trunk, or blocks=N with N up to {len(blocks)}.")
    model.freeze_modules([f"network.{name}" for block in blocks[:count] for name in block])
    return model


def features(model: Classifier, x_NCHW: Tensor) -> Tensor:
    """What a frozen trunk makes of images, without gradients: compute once, train `model.head` on it.

    (N, D) where the head reads a vector, (N, C, H, W) where the images are larger than the head was made for.
    """
    with torch.no_grad():
        return model.features(x_NCHW)


def parameter_groups(model: Classifier, learning_rate: float, *, decay: float = 1.0) -> list[dict[str, Any]]:
    """Groups for a torch optimiser: the head at `learning_rate`, each block below at `decay` times the one above.

    Discriminative learning rates (Howard & Ruder 2018, section 3.2, who divide by 2.6: decay 0.38). Frozen parameters
    are left out. Every group has a `name`: head, block5 ... block1.
    """
    if not 0 < decay <= 1:
        raise UsageError(f"decay is {decay}; give a factor above 0 and up to 1.")
    network = model.network
    stages = [("head", network.head_modules)]
    stages += [(f"block{i}", block) for i, block in reversed(list(enumerate(network.blocks, 1)))]
    groups = []
    for depth, (name, modules) in enumerate(stages):
        parameters = [p for module in modules for p in _parameters(network, module)]
        if parameters:
            groups.append({"name": name, "params": parameters, "lr": learning_rate * decay**depth})
    return groups


def _parameters(network: nn.Module, module: str) -> list[nn.Parameter]:
    return [parameter for parameter in network.get_submodule(module).parameters() if parameter.requires_grad]
