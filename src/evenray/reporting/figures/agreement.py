"""Agreement of two measures of one thing: their difference against their mean, with the limits of agreement (Bland & Altman 1986)."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.reporting.language import Language

from .plot import Plot, axis
from .svg import ACCENT, GREY, INK, WIDTH, Svg

__all__ = ["areas", "volumes"]

LIMIT = 1.959963984540054


def areas(true_N: NDArray[np.float64], called_N: NDArray[np.float64], unit: str, name: str, say: Language) -> Svg:
    """Called less true area of each image against the mean of both; lines at the mean difference and at its limits."""
    squared = f"{unit}²"
    return _drawn(true_N, called_N, squared, "area", say("masks.areas", name=name), say)


def volumes(true_N: NDArray[np.float64], called_N: NDArray[np.float64], name: str, say: Language) -> Svg:
    """The same of whole volumes, in ml."""
    return _drawn(true_N, called_N, "ml", "volume", say("masks.volume_areas", name=name), say)


def _drawn(
    true_N: NDArray[np.float64], called_N: NDArray[np.float64], unit: str, what: str, title: str, say: Language
) -> Svg:
    mean, gap = (true_N + called_N) / 2, called_N - true_N
    middle, spread = float(gap.mean()), LIMIT * float(gap.std())
    levels = [middle - spread, middle, middle + spread]
    x = axis(mean, say(f"axis.{what}_mean", unit=unit), count=4, zero=True, grid=False)
    y = axis([*gap.tolist(), *levels], say(f"axis.{what}_gap", unit=unit), count=4, zero=True)
    plot = Plot(WIDTH, 150, x, y)
    ends = [x.scale.low, x.scale.high]
    for level, dash in zip(levels, ("4 3", "", "4 3"), strict=True):
        plot.line(ends, [level, level], GREY if dash else INK, 1.2, dash)
    shown = (true_N > 0) | (called_N > 0)
    shown[np.flatnonzero(~shown)[:1]] = True  # one dot for all of which there is nothing
    plot.dots(mean[shown], gap[shown], ACCENT, 2.4)
    data = pl.DataFrame({f"true ({unit})": true_N, f"called ({unit})": called_N})
    return plot.drawn(title, data=data)
