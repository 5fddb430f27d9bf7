"""Test-time augmentation: the crops of an image whose predictions are averaged (Simonyan & Zisserman 2015, section 3.2).

    centre      the middle, at the size of training
    flips       the same and its mirror image; only where left and right mean the same
    fivecrop    the four corners and the middle; mirrored, they are the ten crops of Krizhevsky et al. 2012
    multicrop   a grid of crops at several scales; 5 x 5 at 3 scales, mirrored, are the paper's 150
    dense       the whole image at several scales, the head applied at every place and its scores averaged

Scales are multiples of the training size of the model, on the shorter side: with 224, the paper's 256 is 8/7. Without any
given they are the paper's for the scale S that the network was trained at (section 4.2): S - 32, S and S + 32 of 256 for
one S (224, 256, 288 where nothing is known of it); the least, the middle and the largest for jittered ones (256, 384, 512).

All return logits_NK. The soft-maxes of several crops are averaged and the logarithm is returned, so that a soft-max of it
gives the mean; where the outputs are findings, their sigmoids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product, repeat
from typing import Annotated, cast

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, MinLen
from torch import Tensor

from evenray.core.errors import UsageError
from evenray.core.registry import Registry
from evenray.core.spec import parse

from .augment import resized
from .networks import Classifier
from .networks.output import Output, as_classes, as_outputs

__all__ = [
    "centre",
    "check_tta",
    "dense",
    "fivecrop",
    "flips",
    "fuse",
    "largest_scale",
    "multicrop",
    "paper_scales",
    "passes",
    "tta_logits",
    "tta_methods",
]

STEP = 1 / 7  # the paper's 32 of 224 pixels
GRID = 5
ONE_SCALE = {"centre": 1.0, "flips": 1.0, "fivecrop": 1 + STEP}
CropScale = Annotated[float, Ge(1), Le(8)]
CropScales = Annotated[Sequence[CropScale], MinLen(1)]
Scales = Annotated[Sequence[Annotated[float, Gt(0), Le(8)]], MinLen(1)]
Grid = Annotated[int, Ge(1), Le(25)]

tta_methods = Registry(
    "test-time augmentation",
    {name: f"evenray.learning.tta:{name}" for name in ("centre", "flips", "fivecrop", "multicrop", "dense")},
    context=2,
)


def tta_logits(model: Classifier, x_NCHW: Tensor, tta: str = "centre") -> Tensor:
    """Logits (N, K) with a test-time augmentation, or with several joined by `|`, whose soft-maxes are averaged.

    The model is in evaluation meanwhile, and no gradient is kept.

    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> tta_logits(model, torch.zeros(3, 1, 40, 36), "dense(scales=[1, 1.5]) | multicrop(grid=2, scales=[1.2])").shape
    torch.Size([3, 2])
    """
    chosen = [tta_methods.bind(step) for step in parse(tta)]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            found = [one(model, x_NCHW) for one in chosen]
    finally:
        model.train(training)
    return cast(Tensor, found[0]) if len(found) == 1 else fuse(found, output=model.description.output)


def check_tta(tta: str, *, flips: bool) -> None:
    """UsageError for a spec that cannot be read, or that mirrors images where `flips` does not allow it.

    >>> check_tta("dense(flip=True)", flips=False)
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: dense(flip=True) mirrors images, which exchanges left and right of a patient; give
    --flips too where that does not matter, or leave the mirroring out.
    """
    for step in parse(tta):
        mirrors = step.name == "flips" or bool(tta_methods.bind(step).keywords.get("flip"))
        if mirrors and not flips:
            raise UsageError(
                f"{step} mirrors images, which exchanges left and right of a patient; give --flips too where that does"
                " not matter, or leave the mirroring out."
            )


def paper_scales(trained: tuple[float, float] | None) -> tuple[float, ...]:
    """The paper's scales for a network that was trained at these ones (low, high); None: on whole images.

    >>> [[round(224 * s) for s in paper_scales(t)] for t in (None, (8 / 7, 8 / 7), (12 / 7, 12 / 7), (8 / 7, 16 / 7))]
    [[224, 256, 288], [224, 256, 288], [352, 384, 416], [256, 384, 512]]
    """
    low, high = trained or (1 + STEP, 1 + STEP)
    return (low, (low + high) / 2, high) if low < high else (max(1.0, low - STEP), low, low + STEP)


def largest_scale(tta: str, trained: tuple[float, float] | None = None) -> float:
    """The largest scale that a spec asks for, so that images can be kept that large; `trained` as in `paper_scales`.

    >>> largest_scale("centre | multicrop(grid=3, scales=[1, 1.5])")
    1.5
    """
    found = []
    for step in parse(tta):
        given = tta_methods.bind(step).keywords
        default = ONE_SCALE.get(step.name)
        several = given.get("scales") or paper_scales(trained)
        found.append(max(several) if default is None else given.get("scale", default))
    return float(max(found))


def passes(tta: str, size: int, trained: tuple[float, float] | None = None) -> list[float]:
    """The passes through the network that a square image takes: the area of each, in multiples of size x size.

    >>> passes("fivecrop | dense(scales=[1, 1.5], flip=True)", size=224)
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.25, 1.0, 2.25]
    >>> [len(passes("multicrop(flip=True)", size)) for size in (224, 8)]
    [102, 28]
    """
    found: list[float] = []
    for step in parse(tta):
        given = tta_methods.bind(step).keywords
        scales = given.get("scales") or paper_scales(trained)
        if step.name == "dense":
            areas = [(round(size * scale) / size) ** 2 for scale in scales]
        elif step.name == "multicrop":
            places = [set(_starts(round(size * scale) - size, given.get("grid", GRID))) for scale in scales]
            areas = [1.0] * sum(len(along) ** 2 for along in places)
        else:
            areas = [1.0] * (5 if step.name == "fivecrop" else 1)
        found += areas * (2 if step.name == "flips" or given.get("flip") else 1)
    return found


def centre(model: Classifier, x_NCHW: Tensor, scale: CropScale = 1.0) -> Tensor:
    """Logits of the middle: the shorter side resized to `scale` x the training size, a square cut out of it."""
    x_NCHW = resized(x_NCHW, round(model.size * scale))
    top, left = ((side - model.size) // 2 for side in x_NCHW.shape[-2:])
    return cast(Tensor, model(_crop(x_NCHW, top, left, model.size)))


def flips(model: Classifier, x_NCHW: Tensor, scale: CropScale = 1.0) -> Tensor:
    """Logits of the centre and of its mirror image; mirroring exchanges left and right of the patient."""
    return fuse((centre(model, x, scale) for x in (x_NCHW, x_NCHW.flip(3))), output=model.description.output)


def fivecrop(model: Classifier, x_NCHW: Tensor, scale: CropScale = 1 + STEP, flip: bool = False) -> Tensor:
    """Logits of the corners and the middle at one scale, by default 256 of 224; with `flip`, of ten crops."""
    size, x_NCHW = model.size, resized(x_NCHW, round(model.size * scale))
    bottom, right = (side - size for side in x_NCHW.shape[-2:])
    corners = ((0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2))
    crops = (model(_crop(x, *corner, size)) for x in _mirrored(x_NCHW, flip) for corner in corners)
    return fuse(crops, output=model.description.output)


def multicrop(
    model: Classifier, x_NCHW: Tensor, grid: Grid = GRID, scales: CropScales | None = None, flip: bool = False
) -> Tensor:
    """Logits of grid x grid crops of the training size at every scale; with `flip`, of their mirror images too."""
    scales = paper_scales(model.description.scale_jitter) if scales is None else scales
    crops = _crops(model.size, x_NCHW, grid, scales, flip)
    said = (logits for crop, times in crops for logits in repeat(model(crop), times))
    return fuse(said, output=model.description.output)


def dense(model: Classifier, x_NCHW: Tensor, scales: Scales | None = None, flip: bool = False) -> Tensor:
    """Logits of the whole image at every scale: class scores at every place where the head fits, averaged.

    At scale 1 on a square image these are the logits of the centre crop, to rounding. Networks of several kinds, which have no map
    in common, look one by one, and all they say is averaged.
    """
    images = _mirrored(x_NCHW, flip)
    scales = paper_scales(model.description.scale_jitter) if scales is None else scales
    seen = (resized(x, round(model.size * scale)) for x in images for scale in scales)
    maps = (scores for x in seen for scores in model.score_maps(x))
    return fuse((scores.mean((2, 3)) for scores in maps), output=model.description.output)


def fuse(logits: Iterable[Tensor], weights: Sequence[float] | None = None, *, output: Output = "softmax") -> Tensor:
    """The logarithm of the (weighted) mean of the soft-maxes, (N, K): of the crops of one image, or of the networks of an ensemble;
    with the `output` sigmoid, the log-odds of the mean of the sigmoids.

    Takes any number one after another, in the memory of one.

    >>> mean = fuse([torch.tensor([[0.0, 0.0]]), torch.tensor([[40.0, 0.0]])])
    >>> mean.softmax(1)
    tensor([[0.7500, 0.2500]])
    """
    total: Tensor | None = None
    used = 0.0
    for i, one in enumerate(logits):
        weight = 1.0 if weights is None else _weight(weights, i)
        said = as_classes(one, output).log_softmax(1)
        term = said + float(np.log(weight)) if weight else torch.full_like(said, -torch.inf)
        total = term if total is None else torch.logaddexp(total, term)
        used += weight
    if total is None or used == 0 or (weights is not None and len(weights) != i + 1):
        raise UsageError(f"There is nothing to average, or the weights {weights} do not fit; give one weight a member.")
    return as_outputs(total - float(np.log(used)), output)


def _crops(size: int, x_NCHW: Tensor, grid: int, scales: Sequence[float], flip: bool) -> Iterator[tuple[Tensor, int]]:
    """Each crop and how often the grid holds it: at scales near 1 there are fewer places than crops."""
    for scale in scales:
        for x in _mirrored(resized(x_NCHW, round(size * scale)), flip):
            corners = product(*(_starts(side - size, grid) for side in x.shape[-2:]))
            for (top, left), times in Counter(corners).items():
                yield _crop(x, top, left, size), times


def _starts(room: int, grid: int) -> list[int]:
    """Where the crops begin along one axis: from edge to edge, or the middle."""
    return [room // 2] if grid == 1 else [round(room * i / (grid - 1)) for i in range(grid)]


def _mirrored(x_NCHW: Tensor, flip: bool) -> tuple[Tensor, ...]:
    return (x_NCHW, x_NCHW.flip(3)) if flip else (x_NCHW,)


def _crop(x: Tensor, top: int, left: int, size: int) -> Tensor:
    return x[..., top : top + size, left : left + size]


def _weight(weights: Sequence[float], i: int) -> float:
    if i >= len(weights) or weights[i] < 0:
        raise UsageError(f"The weights are {list(weights)}; give one a member, none of them negative.")
    return float(weights[i])
