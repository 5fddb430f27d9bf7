"""Which detection is which object: COCO's matching, once, for every figure of boxes and every bootstrap resample.

The matching is pycocotools' (the highest score first takes the object that it overlaps most, at each threshold of overlap by
itself; no object is taken twice). It does not change when images are drawn again, so what is kept is for each detection its image,
its score and whether it hit, and a resample only weighs these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COCO_OVERLAPS", "Matches", "matches"]

EVERY = 10**6  # detections of a class and an image; COCO itself counts 100 at most, too few for images of cells
COCO_OVERLAPS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Matches:
    """The detections of one class in all images, the highest score first, and how many objects each image has.

    `image` int64 (D,) and `score` (D,); `hit` bool (T, D), at each threshold of overlap whether it is an object; `ignored` bool
    (T, D), whether it counts neither way, as it lies on what is not to be counted; `box` int64 (D,), its row among the
    detections of its image. `objects` int64 (N,) has no ignored ones.
    """

    image: NDArray[np.int64]
    score: Floats
    hit: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    box: NDArray[np.int64]
    objects: NDArray[np.int64]

    @classmethod
    def of_scores(
        cls, score: Sequence[float], hits: Sequence[bool], objects: Sequence[int], image: Sequence[int] | None = None
    ) -> Matches:
        """Detections by falling scores, at one threshold of overlap; all in the first image where none is named."""
        where = np.zeros(len(score), np.int64) if image is None else np.array(image, np.int64)
        hit = np.array([hits], bool).reshape(1, -1)
        return cls(
            where, np.array(score, np.float64), hit, np.zeros_like(hit), np.arange(len(where)), np.array(objects)
        )

    @property
    def ends(self) -> NDArray[np.bool_]:
        """Whether a threshold can lie right after each detection, bool (D,): it cannot between equal scores."""
        return np.append(self.score[1:] != self.score[:-1], True)[: len(self.score)]


def matches(
    truth: Sequence[Floats], found: Sequence[Floats], classes: int, overlaps: Sequence[float] = COCO_OVERLAPS
) -> list[Matches]:
    """The matches of each class.

    `truth` has an array (n, 5) an image: class, left, top, right, bottom, in pixels; of an object that is not to be counted the
    class is -1 - class. `found` has (m, 6): the same and a score. An ignored object takes any number of detections, by the
    share of each that it covers (COCO's crowds); an object that counts is preferred.

    >>> [m] = matches([np.array([[0, 0, 0, 9, 9]])], [np.array([[0, 0, 0, 9, 9, 0.5], [0, 30, 30, 39, 39, 0.7]])], 1, (0.5,))
    >>> m.score, m.hit
    (array([0.7, 0.5]), array([[False,  True]]))
    """
    return [_of_class(truth, found, k, np.asarray(overlaps)) for k in range(classes)]


def _of_class(truth: Sequence[Floats], found: Sequence[Floats], k: int, overlaps: Floats) -> Matches:
    from pycocotools.cocoeval import COCOeval

    coco = COCOeval(iouType="bbox")
    coco.params.iouThrs, coco.params.maxDets = overlaps, [EVERY]
    image, score, box, hit, ignored, objects = [], [], [], [], [], []
    for i, (true, said) in enumerate(zip(truth, found, strict=True)):
        own, rows = true[(true[:, 0] == k) | (true[:, 0] == -1 - k)], np.flatnonzero(said[:, 0] == k)
        objects.append(int((own[:, 0] == k).sum()))
        if not len(rows):
            continue
        rows = rows[np.argsort(-said[rows, 5], kind="stable")]
        coco._gts = {(i, k): [_annotation(n + 1, one, ignored=one[0] < 0) for n, one in enumerate(own)]}
        coco._dts = {(i, k): [{**_annotation(n + 1, one), "score": one[5]} for n, one in enumerate(said[rows])]}
        coco.ious = {(i, k): coco.computeIoU(i, k)}
        told = coco.evaluateImg(i, k, [0, np.inf], EVERY)
        matched, nowhere = np.asarray(told["dtMatches"]) > 0, np.asarray(told["dtIgnore"], bool)
        image.append(np.full(len(rows), i))
        score.append(said[rows, 5])
        box.append(rows)
        hit.append(matched & ~nowhere)
        ignored.append(nowhere)
    none = np.zeros((len(overlaps), 0), bool)
    scores = np.concatenate([np.zeros(0), *score])
    order = np.argsort(-scores, kind="stable")
    return Matches(
        np.concatenate([np.zeros(0, np.int64), *image])[order], scores[order], np.hstack([none, *hit])[:, order],
        np.hstack([none, *ignored])[:, order], np.concatenate([np.zeros(0, np.int64), *box])[order], np.array(objects),
    )  # fmt: skip


def _annotation(number: int, row: Floats, *, ignored: bool = False) -> dict[str, Any]:
    """A box as pycocotools has it; number 0 would stand for none."""
    _, x0, y0, x1, y1 = row[:5].tolist()
    sides = (x1 - x0, y1 - y0)
    return {
        "id": number, "bbox": [x0, y0, *sides], "area": sides[0] * sides[1], "iscrowd": int(ignored), "ignore": int(ignored),
    }  # fmt: skip
