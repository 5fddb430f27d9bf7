"""FROC and precision-recall curves of boxes, a line a class, with the operating points that were chosen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale, axis
from .ranking import HEIGHT, Line
from .svg import INK, PAPER, WIDTH, Svg, number

__all__ = ["box_precision_recall", "froc"]

FEWEST, MOST = 1 / 16, 16.0  # false positives an image that are drawn
TICKS = {0.125: "1/8", 0.25: "1/4", 0.5: "1/2", 1.0: "1", 2.0: "2", 4.0: "4", 8.0: "8"}
Points = Mapping[str, tuple[float, float]]


def froc(lines: Mapping[str, Line], colours: Mapping[str, str], points: Points, say: Language) -> Svg:
    """Sensitivity against false positives an image, which double from tick to tick (Bunch et al. 1978)."""
    doubled = Axis(Scale(FEWEST, MOST, log=True), TICKS, say("axis.false_positives"))
    plot = Plot(WIDTH, HEIGHT, doubled, axis([0, 1], say("axis.sensitivity"), words=number))
    for name, (x, y) in lines.items():
        seen = np.flatnonzero((x > FEWEST) & (x < MOST))
        before = y[: seen[0]] if len(seen) else y[x <= FEWEST]
        start = float(before[-1]) if len(before) else 0.0
        last = float(y[seen[-1]]) if len(seen) else start
        across = np.concatenate([[FEWEST], x[seen], [MOST]])
        plot.line(across, np.concatenate([[start], y[seen], [last]]), colours[name], step="after")
    for name, (false, found) in points.items():
        if false == false and found == found:
            _ring(plot, float(np.clip(false, FEWEST, MOST)), found, colours[name])
    return plot.drawn(say("alt.froc"), {name: colours[name] for name in lines})


def box_precision_recall(lines: Mapping[str, Line], colours: Mapping[str, str], points: Points, say: Language) -> Svg:
    """Precision against recall, stepped, at an overlap of one half."""
    across, up = (axis([0, 1], say(f"axis.{name}"), words=number) for name in ("recall", "precision"))
    plot = Plot(WIDTH, HEIGHT, across, up)
    for name, (recall, precision) in lines.items():
        plot.line(recall, precision, colours[name], step="before")
    for name, (found, right) in points.items():
        if found == found and right == right:
            _ring(plot, found, right, colours[name])
    return plot.drawn(say("alt.pr"), {name: colours[name] for name in lines})


def _ring(plot: Plot, x: float, y: float, colour: str) -> None:
    plot.dots([x], [y], PAPER, 5.9, edge=(INK, 1.5))
    plot.dots([x], [y], colour, 3.6)
