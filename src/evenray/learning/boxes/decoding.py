"""From the answers of default boxes to boxes with classes and scores, one for each object."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .encoding import DEFAULT, LOGITS, OFFSETS, corners, restored

__all__ = ["CANDIDATES", "KEPT", "Detected", "decode", "kept_in", "suppress"]

LEAST = 0.01  # the least score; by the authors' code
CANDIDATES = (
    1000  # of a class and an image before suppression; theirs were 400, and 200 after it: too few for images of cells
)
KEPT = 300  # of an image of the paper's side
MOST = 3000  # of any
PAPER = 300  # pixels
SHARED = 0.45  # overlap from which the lower of two boxes of a class goes


@dataclass(frozen=True)
class Detected:
    """Boxes of an image, the highest score first: left, top, right and bottom, float64 (D, 4), as shares of the square's side,
    the class, int64 (D,), and its score, float64 (D,)."""

    boxes: NDArray[np.float64]
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]


def kept_in(side: int) -> int:
    """How many boxes of an image of this side are kept: as many a pixel as of one of the paper's, which are KEPT, up to MOST.

    >>> kept_in(128), kept_in(300), kept_in(600)
    (300, 300, 1200)
    """
    return min(MOST, round(KEPT * max(1.0, side / PAPER) ** 2))


def decode(answers_NAC: Tensor, kept: int = KEPT) -> list[Detected]:
    """What the network found in each image: a soft-max over background and classes, every class by itself, the highest scores
    first, and non-maximum suppression; at most `kept`. Rows of NaN are none."""
    answers_NAC = answers_NAC.float()
    scores_NAK = torch.softmax(answers_NAC[..., LOGITS], 2)[..., 1:].nan_to_num(0.0)
    boxes_NA4 = corners(restored(answers_NAC[..., OFFSETS], answers_NAC[..., DEFAULT])).clamp(0, 1)
    found = []
    for boxes_A4, scores_AK in zip(boxes_NA4, scores_NAK, strict=True):
        best_KC, which_KC = scores_AK.T.topk(min(max(CANDIDATES, kept), len(scores_AK)), dim=1)
        k, place = torch.nonzero(best_KC >= LEAST, as_tuple=True)
        taken = boxes_A4[which_KC[k, place]].double().cpu().numpy()
        found.append(suppress(taken, k.cpu().numpy(), best_KC[k, place].double().cpu().numpy(), kept))
    return found


def suppress(
    boxes_D4: NDArray[np.float64], classes_D: NDArray[np.int64], scores_D: NDArray[np.float64], most: int = KEPT
) -> Detected:
    """Of boxes of one class that share much, the one with the highest score (OpenCV's); at most so many.

    >>> boxes = np.array([[0, 0, 0.5, 0.5], [0.01, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]])
    >>> suppress(boxes, np.array([0, 0, 0]), np.array([0.6, 0.9, 0.5])).scores
    array([0.9, 0.5])
    """
    solid = (boxes_D4[:, 2:] > boxes_D4[:, :2]).all(1)
    boxes_D4, classes_D, scores_D = boxes_D4[solid], classes_D[solid], scores_D[solid]
    if not len(boxes_D4):
        return Detected(np.empty((0, 4)), np.empty(0, np.int64), np.empty(0))
    corner_and_sides = np.column_stack([boxes_D4[:, :2], boxes_D4[:, 2:] - boxes_D4[:, :2]])
    told = (corner_and_sides, scores_D.astype(np.float32), classes_D.astype(np.int32))
    kept = np.asarray(cv2.dnn.NMSBoxesBatched(*told, 0.0, SHARED), np.int64)  # type: ignore[arg-type]  # arrays do
    kept = kept[np.lexsort((kept, -scores_D[kept]))][:most]
    return Detected(boxes_D4[kept], classes_D[kept], scores_D[kept])
