"""What becomes of an answer when the border of an image, or the text in it, is painted over with what lies beside it.

A map tells roughly where; whether an answer hangs on a narrow border or on thin letters, only an image without them tells.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.data.letterbox import Placement
from evenray.learning.networks import Classifier

from .answers import Answers, chance, focus_of
from .layers import evaluating
from .places import RING

__all__ = ["drop", "without_border", "without_text"]

Map = NDArray[np.float32]


def drop(model: Classifier, x_NCHW: Tensor, covered_NCHW: Tensor, targets_N: Tensor) -> NDArray[np.float64]:
    """How far the probability of each image's target falls, float64 (N,)."""
    with evaluating(model), torch.no_grad():
        focus_NP, answers = focus_of(model, x_NCHW, targets_N), Answers(model)
        before, after = (chance(model, answers(x, focus_NP), targets_N) for x in (x_NCHW, covered_NCHW))
    return (before - after).double().cpu().numpy()


def without_border(x_CHW: Tensor, shape: tuple[int, int]) -> Tensor:
    """The image of `shape` that lies in a square, its outermost sixteenth painted over with the pixels next to it.

    >>> without_border(torch.eye(32)[None], (32, 32))[0, 0, :4]
    tensor([1., 1., 1., 0.])
    """
    place = Placement.of(shape, x_CHW.shape[-1])
    (top, left), (rows, columns) = place.offset, place.inner
    down, across = (max(1, round(side * RING)) for side in place.inner)
    if min(rows - 2 * down, columns - 2 * across) < 1:
        return x_CHW
    found = x_CHW.clone()
    inside = found[:, top + down : top + rows - down, left + across : left + columns - across]
    found[:, top : top + rows, left : left + columns] = torch.nn.functional.pad(
        inside, (across, across, down, down), mode="replicate"
    )
    return found


def without_text(x_CHW: Tensor, text_HW: Map) -> Tensor:
    """The image with its strokes painted over from their edges (Telea 2004)."""
    where = (text_HW > 0.02).astype(np.uint8)
    painted = [cv2.inpaint((one * 65535).astype(np.uint16), where, 2, cv2.INPAINT_TELEA) for one in x_CHW.cpu().numpy()]
    return torch.from_numpy(np.stack(painted).astype(np.float32) / 65535).to(x_CHW.device)
