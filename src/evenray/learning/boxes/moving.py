"""One affine for images and their boxes: mirrored, cropped or shrunk, and stretched a little (Liu et al. 2016, section 2.2).

A third of the images stay as they are; the others are a crop of down to half their side, or shrunk to two thirds, so that
objects of all sizes are met. Nothing is turned: the upright box around a turned box is larger than its object.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["drawn_affine", "moved"]

AS_THEY_ARE = 1 / 3
ENLARGED, SHRUNK = 2.0, 1.5
STRETCHED = 1.2  # wider than high, or higher than wide
LEFT = 0.4  # the share of a box that has to stay in sight for its object to count


def drawn_affine(drawn: Tensor, *, flips: bool) -> Tensor:
    """An affine an image from six numbers of 0 to 1 each, float32 (N, 4): scale and shift along x and y.

    They lead from each place of the moved image to the place in the image that it shows; places are from -1 to 1 along a side.

    >>> drawn_affine(torch.rand(3, 6), flips=True).shape
    torch.Size([3, 4])
    """
    zoom = torch.exp(drawn[:, 0] * math.log(ENLARGED * SHRUNK) - math.log(SHRUNK))
    stretch = STRETCHED ** (drawn[:, 1] - 0.5)
    shown = torch.stack([1 / (zoom * stretch), stretch / zoom], 1)  # of the image's sides, in what is made of it
    shift = (drawn[:, 2:4] * 2 - 1) * (1 - shown)  # a crop stays inside the image, and a shrunk image inside the frame
    same = drawn[:, 4] < AS_THEY_ARE
    shown[same], shift[same] = 1.0, 0.0
    if flips:
        shown[drawn[:, 5] < 0.5, 0] *= -1
    return torch.cat([shown, shift], 1)


def moved(x_NCHW: Tensor, boxes_NM5: Tensor, affine_N4: Tensor) -> tuple[Tensor, Tensor]:
    """Images and boxes under `affine_N4`; boxes are cut at the border, and those of which too little is left become NaN.

    >>> mirror = torch.tensor([[-1.0, 1.0, 0.0, 0.0]])
    >>> moved(torch.zeros(1, 1, 4, 4), torch.tensor([[[2.0, 0.0, 0.0, 0.25, 1.0]]]), mirror)[1]
    tensor([[[2.0000, 0.7500, 0.0000, 1.0000, 1.0000]]])
    """
    scale, shift = torch.split(affine_N4.to(x_NCHW.device), 2, 1)
    rows = torch.zeros(len(scale), 2, 3, device=x_NCHW.device)
    rows[:, 0, 0], rows[:, 1, 1], rows[:, :, 2] = scale[:, 0], scale[:, 1], shift
    grid = functional.affine_grid(rows, list(x_NCHW.shape), align_corners=False)
    x_NCHW = functional.grid_sample(x_NCHW, grid.to(x_NCHW), mode="bilinear", padding_mode="zeros", align_corners=False)
    scale_N1, shift_N1 = scale.to(boxes_NM5)[:, None], shift.to(boxes_NM5)[:, None]
    ends = [((boxes_NM5[..., i : i + 2] * 2 - 1 - shift_N1) / scale_N1 + 1) / 2 for i in (1, 3)]
    first, last = torch.minimum(*ends), torch.maximum(*ends)
    within = torch.cat([first.clamp(0, 1), last.clamp(0, 1)], -1)
    left = (within[..., 2:] - within[..., :2]).prod(-1) / (last - first).prod(-1).clamp(min=1e-12)
    there = torch.cat([boxes_NM5[..., :1], within], -1)
    return x_NCHW, torch.where((left >= LEFT)[..., None], there, torch.nan)
