"""Specs to functions: a chain of global methods becomes one curve, and so one look-up."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.spec import parse
from evenray.core.types import Curve, Image
from evenray.images.histogram import Histogram

from ._engine import apply, keep_missing
from ._kinds import needs_counts, needs_pixels
from ._registry import contrasts

__all__ = ["curve", "enhance", "enhance_together"]

Method = Callable[[Histogram], Curve]


@dataclass(frozen=True)
class Globally:
    """Neighbouring global methods, to be composed; `counts` is whether one of them needs the counts of the image."""

    functions: tuple[Method, ...]
    counts: bool


Stage = Globally | Callable[[Image], Image]


def enhance(image: Image, spec: str) -> Image:
    """The image with its contrast changed by a spec such as `percentile(1, 99) | gamma(0.8)`.

    ValueRange, dtype, shape and missing pixels are kept, and the input is not changed. Neighbouring global methods are
    composed and applied in one pass; between others nothing is rounded. UsageError for an unknown method or a parameter
    out of bounds.

    >>> image = Image(np.array([[0, 10, 20]], np.uint8), value_range=(0, 255))
    >>> enhance(image, "linear | gamma(2)").pixels.tolist()
    [[0, 64, 255]]
    """
    stages = _compiled(spec)
    if len(stages) > 1 and image.pixels.dtype != np.float32:
        fine = image.with_pixels(image.pixels.astype(np.float32))
        return _rounded(image, _through(fine, stages))
    return _through(image, stages)


def _through(image: Image, stages: Sequence[Stage]) -> Image:
    outcome = image
    for stage in stages:
        if isinstance(stage, Globally):
            histogram = Histogram.of(outcome) if stage.counts else Histogram.blank(outcome)
            if histogram.total or not stage.counts:
                outcome = apply(outcome, composed(stage.functions, histogram))
        else:
            outcome = stage(outcome)
    return outcome if outcome.valid is image.valid else outcome.with_pixels(outcome.pixels, valid=image.valid)


def _rounded(image: Image, outcome: Image) -> Image:
    """What came of an image in float32, in its own dtype; missing pixels as they were."""
    kind = np.iinfo(image.pixels.dtype)
    nearest = np.rint(outcome.pixels).clip(kind.min, kind.max).astype(image.pixels.dtype)
    return keep_missing(image, nearest)


def enhance_together(images: Sequence[Image], spec: str) -> list[Image]:
    """The slices of one volume or the frames of one run: a global chain takes one curve from all of them together.

    So a volume does not flicker from slice to slice. Other chains, and images whose ranges differ, go one by one.

    >>> dark, bright = (Image(np.array([[v, v + 10]], np.uint8), value_range=(0, 255)) for v in (0, 90))
    >>> [image.pixels.tolist() for image in enhance_together([dark, bright], "linear")]
    [[[0, 26]], [[230, 255]]]
    """
    stages = _compiled(spec)
    alike = len({(image.value_range, image.pixels.dtype) for image in images}) == 1
    if len(images) < 2 or not alike or len(stages) != 1 or not isinstance(stages[0], Globally):
        return [enhance(image, spec) for image in images]
    total = reduce(operator.add, map(Histogram.of, images))
    if not total.total:
        return list(images)
    shared = composed(stages[0].functions, total)
    return [apply(image, shared) for image in images]


def curve(spec: str, histogram: Histogram) -> Curve:
    """The one curve that a chain of global methods makes of a histogram; no pixel is needed.

    UsageError where the chain holds a method that looks at pixels, such as clahe.

    >>> histogram = Histogram(np.array([5, 0, 5]), np.array([-0.5, 0.5, 1.5, 2.5]))
    >>> curve("invert | gamma(2)", histogram).values
    array([1.  , 0.25, 0.  ])
    """
    stages = _compiled(spec)
    if not stages:
        return composed((), histogram)
    if len(stages) > 1 or not isinstance(stages[0], Globally):
        raise UsageError(f"'{spec}' treats pixels by where they are, so it has no single curve; use enhance.")
    return composed(stages[0].functions, histogram)


def composed(functions: tuple[Method, ...], histogram: Histogram) -> Curve:
    """All functions in order as one curve over the bins of `histogram`, without rounding in between."""
    values = functions[0](histogram).values.clip(0.0, 1.0) if functions else histogram.unit_levels
    for function in functions[1:]:
        if not needs_counts(getattr(function, "func", function)):
            values = function(_at(histogram, values, histogram.counts)).values.clip(0.0, 1.0)
            continue
        positions, place = _distinct(values)
        counts = np.bincount(place, weights=histogram.counts, minlength=len(positions)).astype(np.int64)
        values = function(_at(histogram, positions, counts)).values.clip(0.0, 1.0)[place]
    return Curve(values)


@dataclass(frozen=True)
class _Spread(Histogram):
    """A histogram whose bins stand at `positions` (unit range, ascending) instead of evenly: what a curve leaves."""

    positions: NDArray[np.float64] | None = None
    limits: tuple[float, float] = (0.0, 1.0)

    @property
    def unit_levels(self) -> NDArray[np.float64]:
        assert self.positions is not None
        return self.positions

    @property
    def range(self) -> tuple[float, float]:
        return self.limits

    @property
    def centres(self) -> NDArray[np.float64]:
        return self.limits[0] + self.unit_levels * (self.limits[1] - self.limits[0])


def _at(histogram: Histogram, positions: NDArray[np.float64], counts: NDArray[np.int64]) -> _Spread:
    edges = np.zeros(len(positions) + 1)  # nobody asks for the edges of bins that stand unevenly
    return _Spread(counts, edges, histogram.missing, None, positions, histogram.range)


def _distinct(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The distinct values, ascending, and the place of each value among them; no sorting where they only rise or fall."""
    steps = np.diff(values)
    if (steps >= 0).all():
        place = np.concatenate([[0], np.cumsum(steps > 0)])
        return values[np.concatenate([[True], steps > 0])], place
    if (steps <= 0).all():
        positions, place = _distinct(values[::-1])
        return positions, place[::-1]
    return np.unique(values, return_inverse=True)


@lru_cache(maxsize=256)
def _compiled(spec: str) -> tuple[Stage, ...]:
    bound = [(step.name, contrasts.bind(step)) for step in parse(spec)]
    # "none" drops out here, so that it returns the pixels as they are, also those outside the range.
    steps = [(contrasts[name], function) for name, function in bound if name != "none"]
    stages: list[Stage] = []
    for pixelwise, group in groupby(steps, key=lambda step: needs_pixels(step[0])):
        marked, functions = zip(*group, strict=True)
        stages += functions if pixelwise else (Globally(functions, any(map(needs_counts, marked))),)
    return tuple(stages)
