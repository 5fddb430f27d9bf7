"""The reliability diagram: of the cases given 20 %, do 20 % have it?"""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale
from .svg import ACCENT, GREY, PAPER, WIDTH, Svg, percent

__all__ = ["calibration", "is_rare"]

RARE = (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1)
EVEN = (0, 0.2, 0.4, 0.6, 0.8, 1)


def is_rare(curve: pl.DataFrame) -> bool:
    """Whether most probabilities are so small that the axes are square-root scaled."""
    return bool(np.median(curve["forecast"].to_numpy()) < 0.1)


def calibration(curve: pl.DataFrame, say: Language) -> Svg:
    """Observed share against mean predicted probability, with 95 % intervals.

    `curve` has the columns of evenray.metrics.calibration_curve: forecast, observed, low, high and cases.
    """
    forecast, observed = curve["forecast"].to_numpy(), curve["observed"].to_numpy()
    scale, ticks = Scale(0, 1, root=is_rare(curve)), {at: percent(at) for at in (RARE if is_rare(curve) else EVEN)}
    plot = Plot(WIDTH, 270, Axis(scale, ticks, say("axis.probability")), Axis(scale, ticks, say("axis.observed")))
    plot.line([0, 1], [0, 1], GREY, 1, "4 4")
    for x, low, high in curve.select("forecast", "low", "high").iter_rows():
        plot.line([x, x], [low, high], ACCENT, 1.5)
    plot.line(forecast, observed, ACCENT, 1, opacity=0.5)
    rows = zip(forecast, observed, curve["cases"], strict=True)
    plot.dots(
        forecast,
        observed,
        ACCENT,
        4.4,
        [f"{100 * f:.1f} % → {100 * o:.1f} %, {n}" for f, o, n in rows],
        edge=(PAPER, 1),
    )
    return plot.drawn(say("alt.calibration"), data=curve)
