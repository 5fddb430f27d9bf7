"""Augmentation of a batch in tensors: small rotations, scalings and shifts, brightness and contrast; flips if allowed.

And scale jitter, as the VGG paper trains (section 3.1): random crops of an image at a random scale.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from evenray.core.errors import UsageError

__all__ = ["augment", "resized", "scale_jitter"]

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


def scale_jitter(x_NCHW: Tensor, size: int, generator: torch.Generator, scales: tuple[float, float]) -> Tensor:
    """One random crop (size x size) an image, at a scale drawn evenly from `scales` for the batch (section 3.1).

    Scales are multiples of `size` on the shorter side. The paper trains with crops of 224 pixels out of 256 (scales 8/7
    to 8/7), or out of 256 to 512 (8/7 to 16/7).

    >>> scale_jitter(torch.zeros(4, 1, 40, 60), 28, torch.Generator().manual_seed(0), (8 / 7, 16 / 7)).shape
    torch.Size([4, 1, 28, 28])
    """
    if not 1 <= scales[0] <= scales[1]:
        raise UsageError(f"scales are {scales}; give (low, high) with 1 <= low <= high.")

    def draw(low: int, high: int, number: int) -> list[int]:
        found: list[int] = torch.randint(low, high + 1, (number,), generator=generator).tolist()
        return found

    x_NCHW = resized(x_NCHW, draw(round(size * scales[0]), round(size * scales[1]), 1)[0])
    tops, lefts = (draw(0, extent - size, len(x_NCHW)) for extent in x_NCHW.shape[-2:])
    return torch.stack([x[:, t : t + size, m : m + size] for x, t, m in zip(x_NCHW, tops, lefts, strict=True)])


def resized(x_NCHW: Tensor, shorter: int) -> Tensor:
    """Bilinear, both axes by the same factor, smoothed where it shrinks.

    >>> resized(torch.zeros(1, 1, 40, 60), 20).shape
    torch.Size([1, 1, 20, 30])
    """
    height, width = x_NCHW.shape[-2:]
    if min(height, width) == shorter:
        return x_NCHW
    factor = shorter / min(height, width)
    sides = (max(shorter, round(height * factor)), max(shorter, round(width * factor)))
    return functional.interpolate(x_NCHW, sides, mode="bilinear", align_corners=False, antialias=True)
