"""Batch normalisation over the batches of all processes, on any device: many processes learn what one would."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["share_norms", "summed"]


def share_norms(model: nn.Module) -> None:
    """Have every batch normalisation of `model` take its statistics over all processes; names and weights stay."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedNorm


class SharedNorm(nn.BatchNorm2d):
    """nn.BatchNorm2d whose batch is that of all processes. torch's own SyncBatchNorm is for GPUs alone."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(x_NCHW)
        wide = x_NCHW.to(self.running_mean.dtype)
        count = wide.new_tensor([wide.numel() // wide.shape[1]])
        total = summed(torch.cat([wide.sum((0, 2, 3)), count]))
        number = total[-1].detach()
        mean = total[:-1] / number
        centred = wide - mean[:, None, None]
        variance = summed(centred.square().sum((0, 2, 3))) / number
        with torch.no_grad():
            share = self.momentum or 0.0
            self.running_mean.lerp_(mean.detach(), share)
            self.running_var.lerp_(variance.detach() * number / (number - 1).clamp_min(1), share)
        scale = torch.rsqrt(variance + self.eps)
        if self.affine:
            scale = scale * self.weight
        shifted = centred * scale[:, None, None]
        shifted = shifted + self.bias[:, None, None] if self.affine else shifted
        return shifted.to(x_NCHW.dtype)


class _Sum(torch.autograd.Function):
    """The sum over processes; what each does with it adds to the gradient of all."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        torch.distributed.all_reduce(total)
        return total


def summed(tensor: Tensor) -> Tensor:
    """The sum of a tensor over all processes, whose gradient goes to each."""
    total: Tensor = _Sum.apply(tensor)  # type: ignore[no-untyped-call]
    return total
