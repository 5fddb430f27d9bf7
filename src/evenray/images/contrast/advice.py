"""Advice from the histogram: exposure and contrast in figures, and which methods suit them.

It is advice. Which method helps a classifier is for `compare` to find on the validation part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from evenray.core.messages import Message
from evenray.images.histogram import Histogram

from ._even_bins import even_counts, unit_mean

__all__ = ["Advice", "advise"]


@dataclass(frozen=True)
class Advice:
    """One trait of the grey levels: its code, the figures behind it and the specs of methods that suit."""

    name: str
    figures: Mapping[str, float]
    methods: tuple[str, ...]

    @property
    def message(self) -> Message:
        """The trait as a sentence with its figures."""
        values: dict[str, Any] = dict(self.figures)
        if (skewness := self.figures.get("skewness")) is not None:
            side = "none" if abs(skewness) < 0.1 else "left" if skewness < 0 else "right"
            values["skewed"] = Message(f"advice.skewed.{side}")
        return Message(f"advice.{self.name}", values)


def advise(histogram: Histogram) -> list[Advice]:
    """What a histogram of grey levels suggests; an empty list where exposure and contrast are fine.

    over_exposed: skewness < -0.5 and mean > 0.55 of the range (left-skewed, the tail is dark), or mean > 0.75.
    under_exposed: the mirror of it. low_contrast: the middle 98 % take less than 0.6 of the range. clipped: more
    than 1 % of the pixels in the first or the last level. bimodal: two peaks with a valley below 0.75 of the lower one.

    >>> counts = np.bincount([250] * 900 + [200] * 70 + [20] * 30, minlength=256)
    >>> [advice.name for advice in advise(Histogram(counts, np.arange(257) - 0.5))]
    ['over_exposed']
    """
    if not histogram.total or histogram.bins < 2:
        return []
    return [advice for check in CHECKS if (advice := check(histogram)) is not None]


def _exposure(histogram: Histogram) -> Advice | None:
    mean, skewness = unit_mean(histogram), histogram.skewness
    figures = {"skewness": skewness, "mean": mean}
    if (skewness < -0.5 and mean > 0.55) or mean > 0.75:
        return Advice("over_exposed", figures, ("gamma(2)", "exp(base=10)", "auto_gamma", "equalize"))
    if (skewness > 0.5 and mean < 0.45) or mean < 0.25:
        return Advice("under_exposed", figures, ("gamma(0.5)", "log(base=10)", "agcwd", "equalize"))
    return None


def _low_contrast(histogram: Histogram) -> Advice | None:
    low, high = histogram.range
    first, last = ((histogram.percentile(q) - low) / (high - low) for q in (1, 99))
    if last - first >= 0.6:
        return None
    figures = {"percentile_1": first, "percentile_99": last, "span": last - first}
    # The bins of a local method divide the whole range: where little of it is used, a window has to come first.
    tiled = "clahe(clip=2)" if last - first > 0.25 else "percentile(1, 99) | clahe(clip=2)"
    return Advice("low_contrast", figures, ("percentile(1, 99)", "linear", tiled))


def _clipped(histogram: Histogram) -> Advice | None:
    black, white = histogram.saturation
    if max(black, white) <= 0.01:
        return None
    methods = ("border | equalize", "weighted", "clahe(clip=2)")
    return Advice("clipped", {"black": black, "white": white}, methods)


def _bimodal(histogram: Histogram) -> Advice | None:
    smooth = gaussian_filter1d(even_counts(histogram)[1:-1], 6, mode="nearest")  # the end bins hold what is clipped
    inner = smooth[1:-1]
    peaks = 1 + np.flatnonzero((inner > smooth[:-2]) & (inner >= smooth[2:]) & (inner > 0.1 * smooth.max()))
    best: tuple[float, int, int] | None = None
    for left, right in combinations(peaks.tolist(), 2):
        depth = float(smooth[left:right].min() / min(smooth[left], smooth[right]))
        if right - left >= 32 and (best is None or depth < best[0]):
            best = depth, left, right
    if best is None or best[0] > 0.75:
        return None
    depth, left, right = best
    one, other = left / (len(smooth) + 1), right / (len(smooth) + 1)
    figures = {"first_peak": one, "second_peak": other, "valley": depth}
    return Advice("bimodal", figures, ("clahe(clip=2)", "bbhe", "dsihe", "sigmoid"))


CHECKS: tuple[Callable[[Histogram], Advice | None], ...] = (_exposure, _low_contrast, _clipped, _bimodal)
