"""Initial weights, the same for the same seed on any machine."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

__all__ = ["initialise"]


def initialise(network: nn.Module, outputs: Collection[str], seed: int) -> None:
    """Fill all weights in place: He et al. 2015, equation 10 (normal, fan in), for layers that ReLU follows.

    The layers named in `outputs`, which give the logits, start at standard deviation 0.01, so that a fresh classifier
    is undecided; biases start at 0, batch normalisation at 1 and 0. The layers are filled in order from one generator,
    so two networks that share their first layers share their first weights, and the global random state is left alone.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, layer in network.named_modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            if name in outputs:
                nn.init.normal_(layer.weight, std=0.01, generator=generator)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
