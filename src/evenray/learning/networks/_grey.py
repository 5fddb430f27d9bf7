"""Grey images into a first layer that was trained on colour ones, at a third of its cost and exactly.

Repeating a grey image x over three channels, then normalising each by its own mean m_c and deviation d_c, gives the
first convolution, at a tap t inside the image,

    sum_c W_c[t] (x - m_c) / d_c  =  A[t] (x - m) / d  +  B[t],      A[t] = d sum_c W_c[t] / d_c
                                                                     B[t] = sum_c W_c[t] (m - m_c) / d_c

and zero at a tap in the padding. A is a filter of one channel; B adds the same map to every image, constant but for
the borders, where the taps in the padding are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._layers import SameConv, same_padded

__all__ = ["GreyConv", "fold_grey", "install_grey"]


class GreyConv(nn.Conv2d):
    """A convolution of one channel plus the map that its `offset` filter (out, 1, kh, kw) makes of an image of ones.

    That map's inner part joins the bias; only its frame is added pixel by pixel.
    """

    offset: Tensor

    def __init__(self, like: nn.Conv2d) -> None:
        super().__init__(
            1,
            like.out_channels,
            like.kernel_size,  # type: ignore[arg-type]
            like.stride,  # type: ignore[arg-type]
            like.padding,  # type: ignore[arg-type]
            bias=like.bias is not None,
            device=like.weight.device,
        )
        self.register_buffer("offset", torch.zeros_like(self.weight))
        self.same = isinstance(like, SameConv)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if self.same:
            kernel, stride = self.kernel_size, self.stride
            x_NCHW, ones = (same_padded(x, kernel, stride) for x in (x_NCHW, torch.ones_like(x_NCHW[:1])))
            return functional.conv2d(x_NCHW, self.weight, self.bias, stride) + functional.conv2d(
                ones, self.offset, None, stride
            )
        inside = self.offset.sum((1, 2, 3))
        bias = inside if self.bias is None else self.bias + inside
        maps = functional.conv2d(x_NCHW, self.weight, bias, self.stride, self.padding)
        ones = torch.ones_like(x_NCHW[:1])
        added = functional.conv2d(ones, self.offset, -inside, self.stride, self.padding)  # zero but for a thin frame
        top, bottom = self._frame(0, x_NCHW.shape[-2], maps.shape[-2])
        left, right = self._frame(1, x_NCHW.shape[-1], maps.shape[-1])
        for rows, columns in (
            (slice(0, top), slice(None)),
            (slice(bottom, None), slice(None)),
            (slice(top, bottom), slice(0, left)),
            (slice(top, bottom), slice(right, None)),
        ):
            maps[..., rows, columns] += added[..., rows, columns]
        return maps

    def _frame(self, axis: int, before: int, after: int) -> tuple[int, int]:
        """Up to which output place, and from which on, the windows reach into the padding."""
        kernel, stride, padding = self.kernel_size[axis], self.stride[axis], int(self.padding[axis])
        first = min(after, -(-padding // stride))
        last = (before + padding - kernel) // stride + 1
        return first, min(after, max(first, last))


def first_convolution(network: nn.Module) -> str:
    """The name of the layer that sees the image."""
    names: list[str] = [name for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)]
    return names[0]


def install_grey(network: nn.Module) -> str:
    """Put a GreyConv in place of the first convolution; returns its name."""
    name = first_convolution(network)
    parent, _, child = name.rpartition(".")
    owner = network.get_submodule(parent)
    setattr(owner, child, GreyConv(network.get_submodule(name)))  # type: ignore[arg-type]
    return name


def fold_grey(
    weight: Tensor, mean: Sequence[float], std: Sequence[float]
) -> tuple[Tensor, Tensor, tuple[float], tuple[float]]:
    """From filters (out, 3, kh, kw) to A and B (out, 1, kh, kw) and the mean and deviation that belong to them.

    >>> a, b, mean, std = fold_grey(torch.ones(1, 3, 1, 1), (0.4, 0.5, 0.6), (0.2, 0.2, 0.2))
    >>> round(a.item(), 4), abs(round(b.item(), 4)), mean, round(std[0], 4)
    (3.0, 0.0, (0.5,), 0.2)
    """
    m, d = sum(mean) / 3, sum(std) / 3
    weight = weight.double()
    m_c, d_c = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (mean, std))
    scaled = weight / d_c
    offset = (scaled * (m - m_c)).sum(1, keepdim=True)
    return (scaled * d).sum(1, keepdim=True).float(), offset.float(), (m,), (d,)
