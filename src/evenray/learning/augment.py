"""Augmentation of a batch in tensors: small rotations, scalings and shifts, brightness and contrast, noise and cut-out;
flips if allowed. And scale jitter, as the VGG paper trains (section 3.1): random crops of an image at a random scale.

How strong is said by the constants below, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from evenray.core.errors import UsageError

__all__ = ["Chance", "affine", "augment", "augment_masks", "lit", "moved", "relit", "resized", "scale_jitter", "within"]

ROTATION = math.radians(10)
SCALE = 0.10
SHIFT = 0.06
BRIGHTNESS = 0.10
CONTRAST = 0.15
NOISE = 0.02  # the largest standard deviation, in unit levels; an image that gets noise draws its own below it
NOISY = 0.25  # the share of images that get noise
CUT = 0.25  # the share of images that lose a rectangle
CUT_AREA = (0.02, 0.08)  # of the image
CUT_ASPECT = 2.0  # up to twice as wide as high, or as high as wide


@dataclass(frozen=True)
class Chance:
    """What is random about a batch: a seed for all of it, and one for each of its images.

    An image changes by its own seed alone. So a process that has a part of a batch (`chance[part]`) makes of it what one
    process makes of the whole batch.

    >>> whole = Chance.of([7, 0], 4)
    >>> torch.equal(whole[1:3].uniform(2), whole.uniform(2)[1:3])
    True
    """

    batch: int
    images: NDArray[np.int64]

    @classmethod
    def of(cls, key: list[int], n: int) -> Chance:
        """The chance of a batch of `n` images, fixed by `key`."""
        drawn = np.random.default_rng(key).integers(0, 2**62, n + 1)
        return cls(int(drawn[0]), drawn[1:])

    def __getitem__(self, part: slice) -> Chance:
        return Chance(self.batch, self.images[part])

    def uniform(self, count: int) -> Tensor:
        """float32 (N, count) in 0..1, a row an image."""
        drawn, generator = torch.empty(len(self.images), count, dtype=torch.float32), torch.Generator()
        for row, seed in zip(drawn, self.images.tolist(), strict=True):
            row.uniform_(generator=generator.manual_seed(seed))
        return drawn

    def normal(self, image: int, shape: torch.Size) -> Tensor:
        """Standard normal float32 numbers for one image."""
        generator = torch.Generator().manual_seed(int(self.images[image]) ^ 1)
        return torch.randn(shape, generator=generator, dtype=torch.float32)


def augment(x_NCHW: Tensor, chance: Chance, *, flips: bool = False) -> Tensor:
    """Change every image of a batch in its own way; float32 in 0..1 in, the same out.

    Flips are off unless asked for: the heart is on the left. What enters at the border is black, as padding is; a cut-out
    takes the image's mean (random erasing, Zhong et al. 2020, of a smaller part).

    >>> x = torch.rand(2, 1, 28, 28)
    >>> torch.equal(augment(x, Chance.of([1], 2)), augment(x, Chance.of([1], 2)))
    True
    """
    return lit(moved(x_NCHW, affine(chance, flips=flips)), chance)


def augment_masks(
    x_NCHW: Tensor,
    classes_NHW: Tensor,
    chance: Chance,
    *,
    flips: bool = False,
    size: int = 0,
    centres_N2: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`augment`, and the masks by the same turn, uint8 or int64 (N, H, W); what enters at the border is
    background, as it is black, and what is cut out is unknown (255).

    With a `size`, patches of that side (of images that are larger) about `centres_N2`, (row, column) from 0 to 1; the patch is
    moved inside where it would reach over the border.

    >>> x, y = torch.rand(2, 1, 40, 40), torch.ones(2, 40, 40, dtype=torch.uint8)
    >>> [tuple(part.shape) for part in augment_masks(x, y, Chance.of([1], 2), size=28, centres_N2=torch.rand(2, 2))]
    [(2, 1, 28, 28), (2, 28, 28)]
    """
    theta = affine(chance, flips=flips)
    if size and centres_N2 is not None:
        theta = within(theta, size, x_NCHW.shape[-2:], centres_N2)
    side = (size, size) if size else tuple(x_NCHW.shape[-2:])
    moved_N1HW = moved(classes_NHW[:, None].to(x_NCHW), theta, side, mode="nearest")
    x_NCHW = lit(moved(x_NCHW, theta, side), chance, moved_N1HW)
    return x_NCHW, moved_N1HW[:, 0].round().to(torch.int64)


def affine(chance: Chance, *, flips: bool = False) -> Tensor:
    """The turn, scale and shift of every image, float32 (N, 2, 3): where in the image, whose sides go from -1 to 1, a place of the
    changed image comes from."""
    drawn = chance.uniform(14)
    reach = drawn.new_tensor([ROTATION, SCALE, 2 * SHIFT, 2 * SHIFT])  # a side counts as 2
    angle, zoom, right, down = ((drawn[:, :4] * 2 - 1) * reach).unbind(1)
    mirror_N = 1 - 2 * (drawn[:, 6] < (0.5 if flips else 0)).to(drawn.dtype)
    cos, sin = torch.cos(angle) * (1 + zoom), torch.sin(angle) * (1 + zoom)
    rows = [torch.stack([cos * mirror_N, -sin, right], 1), torch.stack([sin * mirror_N, cos, down], 1)]
    return torch.stack(rows, 1)


def within(theta_N23: Tensor, size: int, shape: tuple[int, ...], centres_N2: Tensor) -> Tensor:
    """The same turns of patches of `size` about places of images of `shape`, (row, column) from 0 to 1."""
    share = torch.tensor([size / shape[1], size / shape[0]])  # of the image, across and down
    middle = (centres_N2.flip(1) * 2 - 1).clamp(-(1 - share), 1 - share)
    patch = theta_N23 * share[:, None]
    patch[:, :, 2] += middle
    return patch


def moved(x_NCHW: Tensor, theta_N23: Tensor, side: tuple[int, ...] = (), mode: str = "bilinear") -> Tensor:
    """Images through `affine`, in one go; what comes from beyond the border is 0."""
    shape = [*x_NCHW.shape[:2], *(side or x_NCHW.shape[-2:])]
    grid = functional.affine_grid(theta_N23.to(x_NCHW.device), shape, align_corners=False)
    return functional.grid_sample(x_NCHW, grid, mode=mode, padding_mode="zeros", align_corners=False)


def lit(x_NCHW: Tensor, chance: Chance, masks_N1HW: Tensor | None = None) -> Tensor:
    """Other brightness and contrast, noise, and cut-outs, in place; what is cut out of images becomes 255 in their masks."""
    changed = relit(x_NCHW, chance)
    for i, place in _cut_outs(chance.uniform(14)[:, 9:], changed.shape[-2:]):
        changed[(i, slice(None), *place)] = changed[i].mean((1, 2), keepdim=True)
        if masks_N1HW is not None:
            masks_N1HW[(i, slice(None), *place)] = 255
    return changed


def relit(x_NCHW: Tensor, chance: Chance) -> Tensor:
    """Other brightness and contrast, and noise, in place."""
    drawn = chance.uniform(14)
    shape = (drawn[:, 4:6] * 2 - 1) * drawn.new_tensor([CONTRAST, BRIGHTNESS])
    gain, offset = shape.to(x_NCHW.device).reshape(-1, 2, 1, 1, 1).unbind(1)
    changed = x_NCHW.sub_(0.5).mul_(1 + gain).add_(0.5 + offset)
    for i in torch.nonzero(drawn[:, 7] < NOISY).flatten().tolist():
        changed[i] += chance.normal(i, changed.shape[1:]).to(changed.device) * (NOISE * drawn[i, 8].item())
    return changed.clamp_(0, 1)


def _cut_outs(drawn_N5: Tensor, shape: torch.Size) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """The rectangles that some images lose, by (whether, area, aspect, row, column), each drawn in 0..1."""
    for i in torch.nonzero(drawn_N5[:, 0] < CUT).flatten().tolist():
        area, aspect, top, left = drawn_N5[i, 1:].tolist()
        area = CUT_AREA[0] + (CUT_AREA[1] - CUT_AREA[0]) * area
        stretch = CUT_ASPECT ** (aspect - 0.5)
        height, width = (
            min(extent, max(1, round(extent * math.sqrt(area) * by)))
            for extent, by in zip(shape, (stretch, 1 / stretch), strict=True)
        )
        row, column = (
            int(place * (extent - side + 1))
            for place, extent, side in zip((top, left), shape, (height, width), strict=True)
        )
        yield i, (slice(row, row + height), slice(column, column + width))


def scale_jitter(x_NCHW: Tensor, size: int, chance: Chance, scales: tuple[float, float]) -> Tensor:
    """One random crop (size x size) an image, at a scale drawn evenly from `scales` for the batch (section 3.1).

    Scales are multiples of `size` on the shorter side. The paper trains with crops of 224 pixels out of 256 (scales 8/7
    to 8/7), or out of 256 to 512 (8/7 to 16/7).

    >>> scale_jitter(torch.zeros(4, 1, 40, 60), 28, Chance.of([0], 4), (8 / 7, 16 / 7)).shape
    torch.Size([4, 1, 28, 28])
    """
    if not 1 <= scales[0] <= scales[1]:
        raise UsageError(f"scales are {scales}; give (low, high) with 1 <= low <= high.")
    low, high = (round(size * scale) for scale in scales)
    x_NCHW = resized(x_NCHW, low + chance.batch % (high - low + 1))
    places = chance.uniform(16)[:, 14:].tolist()  # the numbers before these are those of augment
    corners = [
        [int(place * (extent - size + 1)) for place, extent in zip(pair, x_NCHW.shape[-2:], strict=True)]
        for pair in places
    ]
    return torch.stack([x[:, t : t + size, m : m + size] for x, (t, m) in zip(x_NCHW, corners, strict=True)])


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
