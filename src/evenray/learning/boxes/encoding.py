"""Matching default boxes with objects, and boxes as offsets from default boxes (Liu et al. 2016, section 2.2)."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "BACKGROUND", "DEFAULT", "LOGITS", "OFFSETS", "UNKNOWN", "centred", "corners", "encoded", "match", "overlaps", "restored",
]  # fmt: skip

OFFSETS, DEFAULT, LOGITS = slice(0, 4), slice(4, 8), slice(8, None)  # of the answers of a default box
BACKGROUND, UNKNOWN = 0, -1  # what a default box answers for beside the classes, from 1 on
VARIANCES = 0.1, 0.2  # of offsets of the centre and of sides, by the authors' code
ENOUGH = 0.5  # overlap


def centred(boxes: Tensor) -> Tensor:
    """Boxes (..., 4) of left, top, right, bottom as centre, width and height.

    >>> centred(torch.tensor([0.0, 0.0, 0.5, 1.0]))
    tensor([0.2500, 0.5000, 0.5000, 1.0000])
    """
    first, last = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(first + last) / 2, last - first], -1)


def corners(boxes: Tensor) -> Tensor:
    """The way back from `centred`."""
    middle, sides = boxes[..., :2], boxes[..., 2:]
    return torch.cat([middle - sides / 2, middle + sides / 2], -1)


def encoded(boxes: Tensor, defaults: Tensor) -> Tensor:
    """Offsets (..., 4) of boxes from default boxes, both as centre, width and height."""
    middle = (boxes[..., :2] - defaults[..., :2]) / defaults[..., 2:] / VARIANCES[0]
    sides = torch.log(boxes[..., 2:] / defaults[..., 2:]) / VARIANCES[1]
    return torch.cat([middle, sides], -1)


def restored(offsets: Tensor, defaults: Tensor) -> Tensor:
    """The way back from `encoded`.

    >>> default = torch.tensor([0.5, 0.5, 0.2, 0.2])
    >>> restored(encoded(torch.tensor([0.4, 0.5, 0.3, 0.1]), default), default)
    tensor([0.4000, 0.5000, 0.3000, 0.1000])
    """
    middle = defaults[..., :2] + offsets[..., :2] * VARIANCES[0] * defaults[..., 2:]
    sides = defaults[..., 2:] * torch.exp((offsets[..., 2:] * VARIANCES[1]).clamp(max=10))  # a wild answer stays finite
    return torch.cat([middle, sides], -1)


def overlaps(a_M4: Tensor, b_A4: Tensor, *, of_b: bool = False) -> Tensor:
    """Intersection over union (M, A) of boxes by their corners; `of_b`: over the area of the second.

    >>> overlaps(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
    tensor([[0.3333]])
    """
    a_M14 = a_M4[:, None]
    shared = (torch.minimum(a_M14[..., 2:], b_A4[:, 2:]) - torch.maximum(a_M14[..., :2], b_A4[:, :2])).clamp(min=0)
    inside = shared.prod(-1)
    area_b = (b_A4[:, 2:] - b_A4[:, :2]).prod(-1)
    whole = area_b if of_b else (a_M14[..., 2:] - a_M14[..., :2]).prod(-1) + area_b - inside
    return inside / whole.clamp(min=1e-9)


def match(boxes_M5: Tensor, defaults_A4: Tensor) -> tuple[Tensor, Tensor]:
    """What each default box (centre, width, height) answers for in one image: BACKGROUND, UNKNOWN or 1 + class, int64 (A,), and
    the offsets of its object, float32 (A, 4).

    Every object has the default box that overlaps it most; any other with an overlap above one half answers for the object
    that it overlaps most. Default boxes half inside an ignored box are UNKNOWN.
    """
    told = torch.full((len(defaults_A4),), BACKGROUND, device=defaults_A4.device)
    offsets = torch.zeros_like(defaults_A4)
    here_A4 = corners(defaults_A4)
    ignored_I4 = boxes_M5[boxes_M5[:, 0] < 0, 1:]
    if len(ignored_I4):
        told[(overlaps(ignored_I4, here_A4, of_b=True) > ENOUGH).any(0)] = UNKNOWN
    objects_O5 = boxes_M5[boxes_M5[:, 0] >= 0]
    if not len(objects_O5):
        return told, offsets
    shared_OA = overlaps(objects_O5[:, 1:], here_A4)
    most, which = shared_OA.max(0)
    for place, own in _own(shared_OA):
        most[own], which[own] = 2.0, place
    answering = most > ENOUGH
    told[answering] = objects_O5[which[answering], 0].long() + 1
    offsets[answering] = encoded(centred(objects_O5[which[answering], 1:]), defaults_A4[answering])
    return told, offsets


def _own(shared_OA: Tensor) -> list[tuple[int, int]]:
    """A default box for every object, no two the same: the greatest overlaps first (bipartite matching of MultiBox)."""
    left, found = shared_OA.clone(), []
    for _ in range(min(left.shape)):
        best = int(left.argmax())
        place, own = divmod(best, left.shape[1])
        found.append((place, own))
        left[place], left[:, own] = -1.0, -1.0
    return found
