"""ROC and precision-recall curves, with the operating point, its intervals and what guessing would give."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evenray.reporting.drawing import Plot, axis, number
from evenray.reporting.language import Language
from evenray.reporting.style import ACCENT, GREY, INK, PAPER, WIDTH, Drawing, Figure, figure

__all__ = ["HEIGHT", "Line", "Point", "precision_recall", "roc"]

HEIGHT = 270
Line = tuple[NDArray[np.float64], NDArray[np.float64]]
Point = tuple[float, float, tuple[float, float] | None, tuple[float, float] | None]  # x, y and their intervals


def roc(lines: Mapping[str, Line], colours: dict[str, str], point: Point | None, say: Language) -> Figure:
    """Sensitivity against the false positive rate; the diagonal is guessing."""
    plot = _plot(say("axis.false_positive_rate"), say("axis.sensitivity"))
    plot.line([0, 1], [0, 1], GREY, 1, "4 4")
    _curves(plot, lines, colours, "")
    _point(plot, point, "roc")
    return figure(
        _drawn(plot, lines, colours), "roc", say("ranking.roc.title"), say("ranking.roc.caption"), say("alt.roc")
    )


def precision_recall(
    lines: Mapping[str, Line], colours: dict[str, str], base: Mapping[str, float], point: Point | None, say: Language
) -> Figure:
    """Precision against recall, stepped as average precision counts it; dashed is guessing, the prevalence."""
    plot = _plot(say("axis.recall"), say("axis.precision"))
    for name, share in base.items():
        plot.line([0, 1], [share, share], colours[name] if len(base) > 1 else GREY, 1, "4 4")
    _curves(plot, lines, colours, "before")
    _point(plot, point, "pr")
    return figure(_drawn(plot, lines, colours), "pr", say("ranking.pr.title"), say("ranking.pr.caption"), say("alt.pr"))


def _plot(x: str, y: str) -> Plot:
    return Plot(WIDTH, HEIGHT, axis([0, 1], x, words=number), axis([0, 1], y, words=number))


def _drawn(plot: Plot, lines: Mapping[str, Line], colours: dict[str, str]) -> Drawing:
    return plot.drawn({name: colour for name, colour in colours.items() if name in lines})


def _curves(plot: Plot, lines: Mapping[str, Line], colours: dict[str, str], step: str) -> None:
    """Later lines lie on top; every vertex keeps its order, because x repeats on vertical runs."""
    for name, (x, y) in lines.items():
        plot.line(x, y, colours[name], step=step)


def _point(plot: Plot, point: Point | None, name: str) -> None:
    """The chosen operating point as a ring with its two intervals, and the dot that the slider moves."""
    if point is None:
        return
    x, y, across, up = point
    if across:
        plot.line(across, (y, y), INK, 1)
    if up:
        plot.line((x, x), up, INK, 1)
    plot.dots([x], [y], PAPER, 5.9, edge=(INK, 1.5))
    plot.dots([x], [y], ACCENT, 3.6, name=f"moving{name}")
