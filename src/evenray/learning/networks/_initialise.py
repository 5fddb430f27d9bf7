"""Initial weights, the same for the same seed on any machine."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn

from ._layers import Conv, SameConv

__all__ = ["initialise", "silence_unreached"]


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
        elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if name in outputs:
                nn.init.normal_(layer.weight, std=0.01, generator=generator)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def silence_unreached(network: nn.Module, look: Callable[[], object]) -> None:
    """Start at zero, in place, the filter taps that never meet a pixel, only padding, when the network takes one `look`.

    On a map of 1 x 1 a 3 x 3 filter with padding learns by its middle alone. The other taps get no gradient and would stay
    the noise that they began as, and speak up wherever the network looks at a larger image (dense evaluation).
    """
    reached: dict[nn.Conv2d, tuple[list[bool], list[bool]]] = {}

    def note(layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, nn.Conv2d) and not isinstance(layer.padding, str):
            pads = layer.pads(args[0]) if isinstance(layer, Conv | SameConv) else layer.padding
            sides = zip(
                args[0].shape[2:], output.shape[2:], layer.kernel_size, layer.stride, pads, layer.dilation, strict=True
            )
            rows, columns = (_reached(*side) for side in sides)
            reached[layer] = rows, columns

    handles = [layer.register_forward_hook(note) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    look()
    with torch.no_grad():
        for layer, (rows, columns) in reached.items():
            met = torch.tensor(rows)[:, None] & torch.tensor(columns)
            layer.weight *= met.to(layer.weight)
    for handle in handles:
        handle.remove()


def _reached(inside: int, outside: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> list[bool]:
    """Which taps along one axis meet the map anywhere.

    >>> _reached(1, 1, 3, 1, 1), _reached(2, 2, 3, 1, 1), _reached(3, 3, 7, 1, 3)
    ([False, True, False], [True, True, True], [False, True, True, True, True, True, False])
    >>> _reached(4, 4, 3, 1, 6, dilation=6)
    [False, True, False]
    """
    return [any(0 <= i * stride - padding + tap * dilation < inside for i in range(outside)) for tap in range(kernel)]
