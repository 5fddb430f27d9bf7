"""Initial weights, the same for the same seed on any machine."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["initialise"]


def initialise(network: nn.Module, seed: int) -> None:
    """Fill all weights in place: He et al. 2015, equation 10 (normal, fan in), for layers that ReLU follows.

    The last layer starts at standard deviation 0.01, so that a fresh classifier is undecided; biases start at 0,
    batch normalisation at 1 and 0. The layers are filled in order from one generator, so two networks that share
    their first layers share their first weights, and the global random state is left alone.

    >>> first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    >>> initialise(first, 3), initialise(second, 3)
    (None, None)
    >>> bool((first.weight == second.weight).all())
    True
    """
    generator = torch.Generator().manual_seed(seed)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear | nn.BatchNorm2d)]
    last = [layer for layer in layers if isinstance(layer, nn.Linear)][-1:]
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)
        else:
            _fill(layer, generator, final=layer in last)


def _fill(layer: nn.Conv2d | nn.Linear, generator: torch.Generator, *, final: bool) -> None:
    if final:
        nn.init.normal_(layer.weight, std=0.01, generator=generator)
    else:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
