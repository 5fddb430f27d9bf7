"""The transfer curve of a contrast method: which grey level each grey level becomes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.reporting.language import Language

from .plot import Plot, axis
from .svg import ACCENT, GREY, Svg, number

__all__ = ["transfer"]


def transfer(
    curve: NDArray[np.float64] | None, label: str, say: Language, *, band: NDArray[np.float64] | None = None,
    width: int = 215, height: int = 130,
) -> Svg:  # fmt: skip
    """Grey level in against grey level out, and the straight line that changes nothing.

    `curve` is (n,) of unit values; for a method without one `band` (3, n) has the 5 %, 50 % and 95 % points of the
    outcomes, NaN where a level does not occur.
    """
    ticks = 5 if width > 150 else 2
    x = axis([0, 1], say("axis.grey_in"), words=number, count=ticks, grid=False)
    plot = Plot(width, height, x, axis([0, 1], say("axis.grey_out"), words=number, count=min(ticks, 4)))
    plot.line([0, 1], [0, 1], GREY, 1, "4 4")
    if band is not None:
        levels = np.linspace(0, 1, band.shape[1])
        plot.area(levels, band[2], ACCENT, 0.25, band[0])
        plot.line(levels, band[1], ACCENT)
    if curve is not None:
        plot.line(np.linspace(0, 1, len(curve)), curve, ACCENT)
    return plot.drawn(label)
