"""ROC and precision-recall curves, with the operating point, its intervals and what guessing would give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenray.reporting.language import Language

from .plot import Plot, axis
from .svg import ACCENT, GREY, INK, PAPER, WIDTH, Svg, number

__all__ = ["HEIGHT", "Line", "Point", "precision_recall", "roc"]

HEIGHT = 270
Line = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Point:
    """An operating point with its two 95 % intervals."""

    x: float
    y: float
    across: tuple[float, float]
    up: tuple[float, float]


def roc(lines: Mapping[str, Line], colours: Mapping[str, str], point: Point | None, say: Language) -> Svg:
    """Sensitivity against the false positive rate; the diagonal is guessing. Later lines lie on top."""
    plot = _plot(say("axis.false_positive_rate"), say("axis.sensitivity"))
    plot.line([0, 1], [0, 1], GREY, 1, "4 4")
    for name, (x, y) in lines.items():
        plot.line(x, y, colours[name])
    _mark(plot, point, "movingroc")
    return plot.drawn(say("alt.roc"), _keys(lines, colours))


def precision_recall(
    lines: Mapping[str, Line], colours: Mapping[str, str], base: Mapping[str, float], point: Point | None, say: Language
) -> Svg:
    """Precision against recall, stepped as average precision counts it; dashed is guessing, the prevalence."""
    plot = _plot(say("axis.recall"), say("axis.precision"))
    for name, share in base.items():
        plot.line([0, 1], [share, share], colours[name] if len(base) > 1 else GREY, 1, "4 4")
    for name, (x, y) in lines.items():
        plot.line(x, y, colours[name], step="before")
    _mark(plot, point, "movingpr")
    return plot.drawn(say("alt.pr"), _keys(lines, colours))


def _plot(x: str, y: str) -> Plot:
    return Plot(WIDTH, HEIGHT, axis([0, 1], x, words=number), axis([0, 1], y, words=number))


def _keys(lines: Mapping[str, Line], colours: Mapping[str, str]) -> dict[str, str]:
    return {name: colour for name, colour in colours.items() if name in lines}


def _mark(plot: Plot, point: Point | None, name: str) -> None:
    """The chosen operating point as a ring with its two intervals, and the dot that the slider moves."""
    if point is None:
        return
    plot.line(point.across, (point.y, point.y), INK, 1)
    plot.line((point.x, point.x), point.up, INK, 1)
    plot.dots([point.x], [point.y], PAPER, 5.9, edge=(INK, 1.5))
    plot.dots([point.x], [point.y], ACCENT, 3.6, name=name)
