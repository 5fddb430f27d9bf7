"""Differences with their intervals about a line of no difference, one row each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale, axis
from .svg import ACCENT, FAINT, GREY, PAPER, WIDTH, Svg, number, shortened

__all__ = ["Row", "differences"]

Row = tuple[str, float, float, float, bool]  # what is compared; the difference with its interval; whether it is shown
HIGH = 22  # pixels of a row


def differences(rows: Sequence[Row], title: str, label: str, say: Language) -> Svg:
    """A dot and a bar a row, from the top down; those that are not shown by the test are pale."""
    ends = [value for _, value, low, high, _ in rows for value in (value, low, high) if np.isfinite(value)]
    x = axis([0.0, *ends], title, words=lambda value: say.signed(value, 2) if value else "0")
    names = {float(len(rows) - place): shortened(name, 190) for place, (name, *_) in enumerate(rows)}
    plot = Plot(WIDTH, HIGH * len(rows) + 6, x, Axis(Scale(0.4, len(rows) + 0.6), names, grid=False))
    plot.line([0, 0], [0.4, len(rows) + 0.6], GREY, 1.2)
    for place, (name, value, low, high, shown) in enumerate(rows):
        y, colour = float(len(rows) - place), ACCENT if shown else FAINT
        plot.line([low, high], [y, y], colour, 2.4)
        told = f"{name}: {number(value)} ({number(low)} – {number(high)})"
        plot.dots([value], [y], ACCENT if shown else GREY, 4.2, [told], edge=(PAPER, 1))
    return plot.drawn(label)
