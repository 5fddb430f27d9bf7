"""A convolution, explained on one patch of one image: input patch x filter + bias -> output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.core.errors import UsageError
from evenray.learning.networks import Classifier
from evenray.learning.networks._grey import GreyConv
from evenray.learning.networks._layers import Conv

from .layers import activations, layer_named

__all__ = ["Step", "convolution_step"]


@dataclass(frozen=True)
class Step:
    """One output value of a convolution and everything that it is made of.

    `patch`, `weights` and `products` are float32 (C, kh, kw); `products.sum() + bias == output`, to rounding. `inside`
    is bool (kh, kw), False where the window stands in the zero padding. `corner` is the window's first row and column
    in the input, counted from the input's own corner (negative in the padding); `input_map` are the sides of the input
    map, `output_map` those of the output; `place` is the output's own row and column.
    """

    layer: str
    channel: int
    patch: NDArray[np.float32]
    weights: NDArray[np.float32]
    products: NDArray[np.float32]
    bias: float
    output: float
    inside: NDArray[np.bool_]
    corner: tuple[int, int]
    stride: int
    padding: int
    input_map: NDArray[np.float32]
    output_map: NDArray[np.float32]
    place: tuple[int, int]


def convolution_step(
    model: Classifier, x_NCHW: Tensor, layer: str, channel: int = 0, row: int | None = None, column: int | None = None
) -> Step:
    """The convolution `layer` at one place of its output, for the first image of `x_NCHW`.

    Without `row` and `column` the place is the strongest one. Where the weights were folded for grey images, `bias`
    holds the added map's value at that place too. UsageError for a layer that is no convolution or a place outside.

    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> step = convolution_step(model, torch.rand(1, 1, 28, 28), "features.0", channel=3, row=0, column=5)
    >>> step.corner, step.inside[0].any(), abs(step.products.sum() + step.bias - step.output) < 1e-5
    ((-1, 4), np.False_, np.True_)
    """
    module = layer_named(model, layer)
    if not isinstance(module, nn.Conv2d):
        raise UsageError(f"'{layer}' is a {type(module).__name__}; give a convolution.")
    entering, leaving = (
        activations(model, x_NCHW[:1], [layer], entering=at_input)[layer][0] for at_input in (True, False)
    )
    if not 0 <= channel < len(leaving):
        raise UsageError(f"'{layer}' has the channels 0 to {len(leaving) - 1}, not {channel}.")
    output_map = leaving[channel]
    strongest = np.unravel_index(int(output_map.argmax()), output_map.shape)
    place = (int(strongest[0]) if row is None else row, int(strongest[1]) if column is None else column)
    if not all(0 <= i < side for i, side in zip(place, output_map.shape, strict=True)):
        raise UsageError(f"The place {place} is outside the output of '{layer}', {output_map.shape}.")
    rows, columns = module.kernel_size
    stride, padding = module.stride[0], module.padding
    if isinstance(module, Conv):
        padding = module.pads(torch.from_numpy(entering[None]))
    top, left = place[0] * stride, place[1] * stride
    border = ((int(padding[0]),) * 2, (int(padding[1]),) * 2)
    weights = module.weight[channel].detach().cpu().float().numpy()
    group = channel // (module.out_channels // module.groups) * len(weights)
    around = np.pad(entering[group : group + len(weights)], ((0, 0), *border))
    patch = around[:, top : top + rows, left : left + columns]
    inside = np.pad(np.ones(entering.shape[1:], bool), border)[top : top + rows, left : left + columns]
    bias = 0.0 if module.bias is None else float(module.bias[channel].detach())
    if isinstance(module, GreyConv):
        bias += float((module.offset[channel, 0].cpu().float().numpy() * inside).sum())
    return Step(
        layer=layer, channel=channel, patch=patch, weights=weights, products=patch * weights, bias=bias,
        output=float(output_map[place]), inside=inside, corner=(top - border[0][0], left - border[1][0]), stride=int(stride),
        padding=border[0][0], input_map=entering.mean(0), output_map=output_map, place=place,
    )  # fmt: skip
