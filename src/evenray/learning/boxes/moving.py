"""The affine of images with boxes: mirrored, cropped or shrunk, and stretched a little (Liu et al. 2016, section 2.2).

A third of the images stay as they are; the others are a crop of down to half their side, or shrunk to two thirds, so that
objects of all sizes are met. Nothing is turned: the upright box around a turned box is larger than its object.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["drawn_affine", "moved_boxes"]

AS_THEY_ARE = 1 / 3
ENLARGED, SHRUNK = 2.0, 1.5
STRETCHED = 1.2  # wider than high, or higher than wide
LEFT = 0.4  # the share of a box that has to stay in sight for its object to count


def drawn_affine(drawn_N6: Tensor, *, flips: bool) -> Tensor:
    """An affine an image from six numbers of 0 to 1 each, float32 (N, 2, 3), as `augment.affine` has it: where in the image, whose
    sides go from -1 to 1, a place of the changed image comes from.

    >>> drawn_affine(torch.rand(3, 6), flips=True).shape
    torch.Size([3, 2, 3])
    """
    zoom = torch.exp(drawn_N6[:, 0] * math.log(ENLARGED * SHRUNK) - math.log(SHRUNK))
    stretch = STRETCHED ** (drawn_N6[:, 1] - 0.5)
    shown = torch.stack([1 / (zoom * stretch), stretch / zoom], 1)  # of the image's sides, in what is made of it
    shift = (drawn_N6[:, 2:4] * 2 - 1) * (
        1 - shown
    )  # a crop stays inside the image, and a shrunk image inside the frame
    same = drawn_N6[:, 4] < AS_THEY_ARE
    shown[same], shift[same] = 1.0, 0.0
    if flips:
        shown[drawn_N6[:, 5] < 0.5, 0] *= -1
    return torch.cat([torch.diag_embed(shown), shift[..., None]], 2)


def moved_boxes(boxes_NM5: Tensor, theta_N23: Tensor) -> Tensor:
    """Boxes under an affine that turns nothing; they are cut at the border, and those of which too little is left become NaN. What
    does not count (a class below 0) stays as long as anything of it is in sight, for it would be learnt as background.

    >>> mirror = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> moved_boxes(torch.tensor([[[2.0, 0.0, 0.0, 0.25, 1.0]]]), mirror)
    tensor([[[2.0000, 0.7500, 0.0000, 1.0000, 1.0000]]])
    """
    theta_N23 = theta_N23.to(boxes_NM5)
    scale_N12, shift_N12 = theta_N23[:, :, :2].diagonal(dim1=1, dim2=2)[:, None], theta_N23[:, None, :, 2]
    ends = [((boxes_NM5[..., i : i + 2] * 2 - 1 - shift_N12) / scale_N12 + 1) / 2 for i in (1, 3)]
    first, last = torch.minimum(*ends), torch.maximum(*ends)
    within = torch.cat([first.clamp(0, 1), last.clamp(0, 1)], -1)
    left = (within[..., 2:] - within[..., :2]).prod(-1) / (last - first).prod(-1).clamp(min=1e-12)
    there = torch.cat([boxes_NM5[..., :1], within], -1)
    in_sight = (left >= LEFT) | ((boxes_NM5[..., 0] < 0) & (left > 0))
    return torch.where(in_sight[..., None], there, torch.nan)
