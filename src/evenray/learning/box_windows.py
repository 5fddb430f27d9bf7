"""Boxes in images that are larger than the detector: it looks at windows of its own size, and at the whole made small.

A box that a window's border cuts is not of its object, and the same object lies in several windows. So every object has a look that
answers for it (as in StarDist's prediction by blocks, Weigert et al. 2020): small ones the windows in whose inner part their
middle lies, which see all of them; those too large to be seen whole in some window wherever they lie, the whole image made
small. Looks share a little of what they answer for, so that a box found a pixel aside is not lost between two of them; what is
then found twice is whole both times, overlaps nearly fully, and goes by non-maximum suppression. Why boxes are not joined or fused:
docs/decisions/0037-boxes-of-windows-have-one-owner.md.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .augment import resized
from .boxes.decoding import Detected, decode, kept_in, suppress
from .boxes.encoding import BACKGROUND, DEFAULT, LOGITS, OFFSETS, centred
from .networks import Classifier, mean_of_boxes
from .tasks.checking import check_view
from .windows import windows

__all__ = ["LARGE", "SMALL", "box_answers"]

# In sides of a window. Of any object a quarter of a side or more lies between its middle and the inner borders of some window.
INNER = 3 / 16  # from the middle of a box to an inner border, at least, for the window to answer for it
CLEAR = 1 / 32  # from its edge: nearer ones are taken for cut
# The longest side of a box that windows answer for; of 7/16 none is cut that lies INNER to 1/4 from a border.
SMALL = 1 / 2
LARGE = 3 / 8  # the longest side of a box from which on the whole image answers for it
SURE = 1e-6  # the least probability that has a logarithm here
Floats = NDArray[np.float64]


def box_answers(model: Classifier, x_NCSS: Tensor, view: str = "centre") -> Tensor:
    """Answers (N, A, 8 + 1 + K) float32 of square images as `boxes.decoding` reads them. Of images larger than the network's size they
    are the boxes that remain of all looks, each as a default box of its own, in the frame of the whole image; rows of NaN, one at
    least, fill up. Of an image of which a look has numbers that are not finite there is one row of infinity. In `flips` the mirror
    image is averaged with every look, default box by default box.

    Beside the images memory is needed for a few windows and for the boxes.

    >>> from evenray.learning.networks import build
    >>> model = build("ssd('vgg11(width=0.1)')", classes=2, channels=1, size=64, output="boxes").eval()
    >>> box_answers(model, torch.zeros(1, 1, 64, 64)).shape[2], len(decode(box_answers(model, torch.zeros(2, 1, 150, 150))))
    (11, 2)
    """
    check_view(view)
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            if x_NCSS.shape[-1] <= model.size:
                return _look(model, x_NCSS, view)
            each = [_merged(model, x[None], view) for x in x_NCSS]
    finally:
        model.train(training)
    rows = 1 + max(len(one) for one in each)
    return torch.stack([torch.cat([one, one.new_full((rows - len(one), one.shape[1]), torch.nan)]) for one in each]).to(
        x_NCSS.device
    )


def _merged(model: Classifier, x_1CSS: Tensor, view: str) -> Tensor:
    """What all looks found, in shares of the whole image's side, each object once, as answers (D, 8 + 1 + K)."""
    side, size = x_1CSS.shape[-1], model.size
    small = resized(x_1CSS, size)
    answers_1AC = _look(model, small, view)
    finite = [answers_1AC.isfinite().all()]
    (whole,) = decode(answers_1AC)
    large = (whole.boxes[:, 2:] - whole.boxes[:, :2]).max(1, initial=0) * side > LARGE * size
    found = [(whole.boxes[large], whole.classes[large], whole.scores[large])]
    for some, places in windows(x_1CSS, size):
        told = (some != some[..., :1, :1]).flatten(1).any(1)  # the others lie beside the image
        if not bool(told.any()):
            continue
        seen = [place for place, of_image in zip(places, told.tolist(), strict=True) if of_image]
        answers_NAC = _look(model, some[told], view)
        finite.append(answers_NAC.isfinite().all())
        for one, place in zip(decode(answers_NAC), seen, strict=True):
            boxes = one.boxes * size + np.array([*place[::-1]] * 2)
            own = _answers_for(boxes, place, size, side)
            found.append((boxes[own] / side, one.classes[own], one.scores[own]))
    boxes, classes, scores = (np.concatenate(each) for each in zip(*found, strict=True))
    packed = _packed(suppress(boxes, classes, scores, kept_in(side)), answers_1AC.shape[2] - LOGITS.start - 1)
    return packed if all(finite) else torch.full((1, packed.shape[1]), torch.inf)


def _answers_for(boxes_D4: Floats, place: tuple[int, int], size: int, side: int) -> NDArray[np.bool_]:
    """Which boxes, in pixels of the image, the window at this (top, left) answers for."""
    first, last = boxes_D4[:, :2], boxes_D4[:, 2:]
    middle, low = (first + last) / 2, np.array(place[::-1])
    high = low + size
    after = (middle - low >= INNER * size) & (first - low >= CLEAR * size) | (low == 0)
    before = (high - middle >= INNER * size) & (high - last >= CLEAR * size) | (high == side)
    return np.asarray((after & before).all(1) & ((last - first).max(1, initial=0) <= SMALL * size))


def _packed(found: Detected, classes: int) -> Tensor:
    """Boxes as answers that decode to them, (D, 8 + 1 + K)."""
    answers = torch.zeros(len(found.scores), LOGITS.start + 1 + classes)
    answers[:, DEFAULT] = centred(torch.from_numpy(found.boxes)).float()
    p = torch.from_numpy(found.scores).clamp(SURE, 1 - SURE)
    said = torch.full((len(p), 1 + classes), SURE * SURE, dtype=torch.float64)
    said[:, BACKGROUND] = 1 - p
    said[torch.arange(len(p)), 1 + torch.from_numpy(found.classes)] = p
    answers[:, LOGITS] = said.log().float()
    return answers


def _look(model: Classifier, x_NCSS: Tensor, view: str) -> Tensor:
    answers: Tensor = model(x_NCSS).float()
    if view == "centre":
        return answers
    return mean_of_boxes([answers, _mirrored(model(x_NCSS.flip(-1)).float())])


def _mirrored(answers_NAC: Tensor) -> Tensor:
    """The answers about a mirror image as those about the image: each from the default box that is the mirror image of its own."""
    defaults_A4 = answers_NAC[0, :, DEFAULT]
    across, rest = defaults_A4[:, 0], defaults_A4[:, 1:]
    own, other = (_order(torch.cat([rest, middle[:, None]], 1)) for middle in (across, 1 - across))
    back = torch.empty_like(own).scatter(0, own, other)
    there = answers_NAC[:, back]
    offsets_NA4 = there[..., OFFSETS]
    return torch.cat([-offsets_NA4[..., :1], offsets_NA4[..., 1:], answers_NAC[..., DEFAULT], there[..., LOGITS]], -1)


def _order(columns_A4: Tensor) -> Tensor:
    """The order of rows by their columns, of numbers from 0 to 2 whose differences are above 2^-14."""
    key = torch.zeros(len(columns_A4), dtype=torch.int64, device=columns_A4.device)
    for column in columns_A4.unbind(1):
        key = key * 2**15 + (column * 2**14).round().to(torch.int64)
    return key.argsort()
