"""The light bench: what a spec makes of an image, as the numbers that a browser needs to show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from evenray.core.errors import UsageError
from evenray.core.spec import parse
from evenray.core.types import Image
from evenray.images.contrast import contrasts, curve, enhance, without_files
from evenray.images.contrast._kinds import needs_pixels
from evenray.images.contrast.advice import advise
from evenray.images.histogram import Histogram

from .damage import Damage

__all__ = ["CURVE", "MENDERS", "Mended", "Table", "curve_of", "frequencies", "mended", "pixels_of", "slides_values"]

CURVE = 4096  # numbers of a curve at most
SLIDES = (9, 32, 109, 180, 132, 34, 4)  # the table of the slides: bins of width 1 from -3.5
MOST_ROWS = 400  # of a frequency table; more are nothing to read
SHARPEST = 512  # pixels of the longer side that methods are compared on
MENDERS = (
    "none", "linear", "percentile(1, 99)", "gamma(0.5)", "gamma(2)", "auto_gamma", "equalize", "border | equalize", "weighted",
    "clahe(clip=2)", "unsharp",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A frequency table: its intervals in words, their counts, and the edges (one more than there are intervals)."""

    rows: tuple[tuple[str, int], ...]
    edges: tuple[float, ...]
    missing: int


@dataclass(frozen=True)
class Mended:
    """What a method makes of a damaged image: how far it then is from the undamaged one (`left`), and from what the method makes of
    the undamaged one (`moved`): root mean squares over all pixels, in per cent of the range."""

    spec: str
    left: float
    moved: float


def curve_of(spec: str, histogram: Histogram) -> NDArray[np.float32] | None:
    """The curve of a chain of global methods, float32 of as many numbers as there are levels, 4,096 at most; values 0 to 1.

    None where the chain looks at where pixels are: then `pixels_of` is asked.

    >>> curve_of("invert", Histogram.blank(Image(np.zeros((1, 1), np.uint8), (0, 3)))).tolist()
    [1.0, 0.6666666865348816, 0.3333333432674408, 0.0]
    """
    if any(needs_pixels(contrasts[step.name]) for step in parse(spec)):
        return None
    with without_files():
        values = curve(spec, histogram).values.clip(0, 1)
    if len(values) > CURVE:
        values = np.interp(np.linspace(0, 1, CURVE), np.linspace(0, 1, len(values)), values)
    return values.astype(np.float32)


def pixels_of(spec: str, image: Image) -> Image:
    """A grey image under a spec that looks at where pixels are.

    >>> image = Image(np.arange(64, dtype=np.uint8).reshape(8, 8), value_range=(0, 255))
    >>> pixels_of("clahe(clip=2)", image).pixels.dtype
    dtype('uint8')
    """
    with without_files():
        return enhance(image, spec)


def frequencies(histogram: Histogram, width: float, start: float | None = None) -> Table:
    """The frequency table of grey levels, or of the slides' values, in bins of a width.

    UsageError where that would be more than 400 intervals.

    >>> found = frequencies(Histogram.of_values(slides_values(), width=0.01, resolution=0.01), 1, start=-3.5)
    >>> found.rows[0], [count for _, count in found.rows]
    (('-3.5 to -2.51', 9), [9, 32, 109, 180, 132, 34, 4])
    """
    low, high = histogram.range
    if not width > 0 or (high - low) / width > MOST_ROWS:
        raise UsageError(
            f"bins of width {width:g} from {low:g} to {high:g} are more than {MOST_ROWS}; give a larger width."
        )
    found = histogram.binned(width=width, start=low if start is None else start)
    return Table(tuple(found.table()), tuple(found.edges.tolist()), found.missing)


def slides_values() -> NDArray[np.float64]:
    """500 numbers with two decimals that have the frequency table of the slides, float64 (500,), ascending.

    The slides give counts alone; within each of their bins these lie as the normal distribution of their mean and spread has them.
    """
    edges = np.arange(-3.5, 4.0)
    middles = (edges[:-1] + edges[1:]) / 2
    mean = np.average(middles, weights=SLIDES)
    spread = np.sqrt(np.average((middles - mean) ** 2, weights=SLIDES))
    found = []
    for low, high, count in zip(edges, edges[1:], SLIDES, strict=False):
        first, last = ndtr((np.array([low, high]) - mean) / spread)
        inside = mean + spread * ndtri(first + (last - first) * (np.arange(count) + 0.5) / count)
        found.append(np.clip(inside.round(2), low, high - 0.01))
    return np.concatenate(found).round(2)


def mended(image: Image, damage: Damage, specs: Sequence[str] | None = None) -> list[Mended]:
    """How far methods bring a damaged image back, the nearest first: `specs`, or the usual ones and those that its histogram suggests.

    Large images are looked at on every n-th pixel.

    >>> image = Image(np.tile(np.arange(0, 200, 2, dtype=np.uint8), (100, 1)), value_range=(0, 255))
    >>> [one.spec for one in mended(image, Damage(exposure=-1), ("none", "gamma(0.5)", "linear"))]
    ['gamma(0.5)', 'linear', 'none']
    """
    step = -(-max(image.shape) // SHARPEST)
    valid = None if image.valid is None else np.ascontiguousarray(image.valid[::step, ::step])
    clean = image.with_pixels(np.ascontiguousarray(image.pixels[::step, ::step]), valid=valid)
    spoilt = damage.apply(clean)
    advised = [spec for one in advise(Histogram.of(spoilt)) for spec in one.methods]
    found = []
    for spec in dict.fromkeys([*MENDERS, *advised] if specs is None else specs):
        after = enhance(spoilt, spec)
        found.append(Mended(spec, _distance(after, clean), _distance(after, enhance(clean, spec))))
    return sorted(found, key=lambda one: one.left)


def _distance(one: Image, other: Image) -> float:
    low, high = one.value_range
    difference = (one.pixels.astype(np.float64) - other.pixels.astype(np.float64)) / (high - low)
    there = difference if one.valid is None else difference[one.valid]
    return 100 * float(np.sqrt(np.mean(there**2))) if there.size else 0.0
