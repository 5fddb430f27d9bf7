"""Augmentation of a batch in tensors: small rotations, scalings and shifts, brightness and contrast; flips if allowed."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["augment"]

ROTATION = math.radians(10)
SCALE = 0.10
SHIFT = 0.06
BRIGHTNESS = 0.10
CONTRAST = 0.15


def augment(x_NCHW: Tensor, generator: torch.Generator, *, flips: bool = False) -> Tensor:
    """Change every image of a batch in its own way; float32 in 0..1 in, the same out.

    Flips are off unless asked for: the heart is on the left. What enters at the border is black, as padding is.

    >>> x = torch.rand(2, 1, 28, 28)
    >>> torch.equal(augment(x, torch.Generator().manual_seed(1)), augment(x, torch.Generator().manual_seed(1)))
    True
    """
    n = len(x_NCHW)

    def uniform(reach: float) -> Tensor:
        return ((torch.rand(n, generator=generator) * 2 - 1) * reach).to(x_NCHW.device)

    angle, zoom = uniform(ROTATION), 1 + uniform(SCALE)
    mirror = torch.ones(n, device=x_NCHW.device)
    if flips:
        mirror = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0).to(x_NCHW.device)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    theta_N23 = torch.stack(
        [
            torch.stack([cos * mirror, -sin, uniform(2 * SHIFT)], 1),
            torch.stack([sin * mirror, cos, uniform(2 * SHIFT)], 1),
        ],
        1,
    )
    grid = functional.affine_grid(theta_N23, list(x_NCHW.shape), align_corners=False)
    moved = functional.grid_sample(x_NCHW, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    gain, offset = (1 + uniform(CONTRAST)).view(n, 1, 1, 1), uniform(BRIGHTNESS).view(n, 1, 1, 1)
    return ((moved - 0.5) * gain + 0.5 + offset).clamp_(0, 1)
