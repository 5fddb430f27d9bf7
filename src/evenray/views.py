"""Views: which parts of an image a network looks at before it answers (Simonyan & Zisserman 2015, section 3.2).

    centre      the middle, at the size of training
    flips       the same and its mirror image; only where left and right mean the same
    multicrop   a grid of crops at several scales; 5 x 5 at 3 scales, mirrored, are the paper's 150
    dense       the whole image at several scales, the head applied at every place and its scores averaged

Scales are multiples of the training size of the model, on the shorter side: with 224, the paper's 256, 384 and 512 are
8/7, 12/7 and 16/7. They suit networks that were trained with `scale_jitter`. All views return logits_NK. Where several
looks are taken, their soft-maxes are averaged and the logarithm is returned, so that a soft-max of it gives the mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, cast

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, MinLen
from torch import Tensor
from torch.nn import functional

from .core.errors import UsageError
from .core.registry import Registry
from .core.spec import parse
from .networks import Classifier

__all__ = ["centre", "dense", "flips", "fuse", "look", "multicrop", "scale_jitter", "views"]

PAPER_SCALES = (8 / 7, 12 / 7, 16 / 7)
CropScale = Annotated[float, Ge(1), Le(8)]
CropScales = Annotated[Sequence[CropScale], MinLen(1)]
Scales = Annotated[Sequence[Annotated[float, Gt(0), Le(8)]], MinLen(1)]
Grid = Annotated[int, Ge(1), Le(25)]

views = Registry(
    "view", {name: f"evenray.views:{name}" for name in ("centre", "flips", "multicrop", "dense")}, context=2
)


def look(model: Classifier, x_NCHW: Tensor, view: str = "centre") -> Tensor:
    """Logits (N, K) under a view, or under several joined by `|`, whose soft-maxes are averaged.

    The model is in evaluation meanwhile, and no gradient is kept.

    >>> from evenray.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> look(model, torch.zeros(3, 1, 40, 36), "dense(scales=[1, 1.5]) | multicrop(grid=2, scales=[1.2])").shape
    torch.Size([3, 2])
    """
    chosen = [views.bind(step) for step in parse(view)]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            looks = [one(model, x_NCHW) for one in chosen]
    finally:
        model.train(training)
    return cast(Tensor, looks[0]) if len(looks) == 1 else fuse(looks)


def centre(model: Classifier, x_NCHW: Tensor, scale: CropScale = 1.0) -> Tensor:
    """Logits of the middle: the shorter side resized to `scale` x the training size, a square cut out of it."""
    x_NCHW = _resized(x_NCHW, round(model.size * scale))
    top, left = ((side - model.size) // 2 for side in x_NCHW.shape[-2:])
    return cast(Tensor, model(_crop(x_NCHW, top, left, model.size)))


def flips(model: Classifier, x_NCHW: Tensor, scale: CropScale = 1.0) -> Tensor:
    """Logits of the centre and of its mirror image; mirroring exchanges left and right of the patient."""
    return fuse(centre(model, x, scale) for x in (x_NCHW, x_NCHW.flip(3)))


def multicrop(
    model: Classifier, x_NCHW: Tensor, grid: Grid = 5, scales: CropScales = PAPER_SCALES, flip: bool = False
) -> Tensor:
    """Logits of grid x grid crops of the training size at every scale; with `flip`, of their mirror images too."""
    return fuse(model(crop) for crop in _crops(model.size, x_NCHW, grid, scales, flip))


def dense(model: Classifier, x_NCHW: Tensor, scales: Scales = PAPER_SCALES, flip: bool = False) -> Tensor:
    """Logits of the whole image at every scale: class scores at every place where the head fits, averaged.

    At scale 1 on a square image these are the logits of the centre crop, to rounding.
    """
    images = _mirrored(x_NCHW, flip)
    return fuse(
        model.score_map(_resized(x, round(model.size * scale))).mean((2, 3)) for x in images for scale in scales
    )


def fuse(logits: Iterable[Tensor], weights: Sequence[float] | None = None) -> Tensor:
    """The logarithm of the (weighted) mean of the soft-maxes, (N, K): views of one network, or networks of an ensemble.

    Takes any number one after another, in the memory of one.

    >>> mean = fuse([torch.tensor([[0.0, 0.0]]), torch.tensor([[40.0, 0.0]])])
    >>> mean.softmax(1)
    tensor([[0.7500, 0.2500]])
    """
    total: Tensor | None = None
    used = 0.0
    for i, one in enumerate(logits):
        weight = 1.0 if weights is None else _weight(weights, i)
        term = one.log_softmax(1) + float(np.log(weight)) if weight else torch.full_like(one, -torch.inf)
        total = term if total is None else torch.logaddexp(total, term)
        used += weight
    if total is None or used == 0 or (weights is not None and len(weights) != i + 1):
        raise UsageError(f"There is nothing to average, or the weights {weights} do not fit; give one weight a member.")
    return total - float(np.log(used))


def scale_jitter(
    x_NCHW: Tensor, size: int, rng: np.random.Generator, scales: tuple[float, float] = (8 / 7, 16 / 7)
) -> Tensor:
    """One random crop (size x size) an image, at a scale drawn evenly from `scales` for the batch (section 3.1).

    The paper trains at 256 to 512 pixels with crops of 224: scales 8/7 to 16/7.

    >>> scale_jitter(torch.zeros(4, 1, 40, 60), 28, np.random.default_rng(0)).shape
    torch.Size([4, 1, 28, 28])
    """
    if not 1 <= scales[0] <= scales[1]:
        raise UsageError(f"scales are {scales}; give (low, high) with 1 <= low <= high.")
    side = int(rng.integers(round(size * scales[0]), round(size * scales[1]) + 1))
    x_NCHW = _resized(x_NCHW, side)
    tops, lefts = (rng.integers(0, extent - size + 1, len(x_NCHW)) for extent in x_NCHW.shape[-2:])
    return torch.stack([_crop(x, int(t), int(m), size) for x, t, m in zip(x_NCHW, tops, lefts, strict=True)])


def _crops(size: int, x_NCHW: Tensor, grid: int, scales: Sequence[float], flip: bool) -> Iterator[Tensor]:
    for scale in scales:
        for x in _mirrored(_resized(x_NCHW, round(size * scale)), flip):
            tops, lefts = (_starts(side - size, grid) for side in x.shape[-2:])
            for top in tops:
                for left in lefts:
                    yield _crop(x, top, left, size)


def _starts(room: int, grid: int) -> list[int]:
    """Where the crops begin along one axis: from edge to edge, or the middle."""
    return [room // 2] if grid == 1 else [round(room * i / (grid - 1)) for i in range(grid)]


def _mirrored(x_NCHW: Tensor, flip: bool) -> tuple[Tensor, ...]:
    return (x_NCHW, x_NCHW.flip(3)) if flip else (x_NCHW,)


def _crop(x: Tensor, top: int, left: int, size: int) -> Tensor:
    return x[..., top : top + size, left : left + size]


def _resized(x_NCHW: Tensor, shorter: int) -> Tensor:
    """Bilinear, both axes by the same factor, smoothed where it shrinks."""
    height, width = x_NCHW.shape[-2:]
    if min(height, width) == shorter:
        return x_NCHW
    factor = shorter / min(height, width)
    sides = (max(shorter, round(height * factor)), max(shorter, round(width * factor)))
    return functional.interpolate(x_NCHW, sides, mode="bilinear", align_corners=False, antialias=True)


def _weight(weights: Sequence[float], i: int) -> float:
    if i >= len(weights) or weights[i] < 0:
        raise UsageError(f"The weights are {list(weights)}; give one a member, none of them negative.")
    return float(weights[i])
