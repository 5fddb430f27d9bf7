"""The reliability diagram: of the cases given 20 %, do 20 % have it?"""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.reporting.drawing import Axis, Plot, Scale, percent
from evenray.reporting.language import Language
from evenray.reporting.style import ACCENT, GREY, PAPER, WIDTH, Figure, figure

__all__ = ["calibration"]

RARE = (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1)
EVEN = (0, 0.2, 0.4, 0.6, 0.8, 1)


def calibration(curve: pl.DataFrame, name: str, of: str, say: Language) -> Figure:
    """Observed share against mean predicted probability of class `of`, with 95 % intervals; `name` names the drawing.

    `curve` has the columns of evenray.metrics.calibration_curve: forecast, observed, low, high and cases.
    """
    forecast, observed = curve["forecast"].to_numpy(), curve["observed"].to_numpy()
    rare = bool(np.median(forecast) < 0.1)
    scale, ticks = Scale(0, 1, root=rare), {at: percent(at) for at in (RARE if rare else EVEN)}
    plot = Plot(WIDTH, 270, Axis(scale, ticks, say("axis.probability")), Axis(scale, ticks, say("axis.observed")))
    plot.line([0, 1], [0, 1], GREY, 1, "4 4")
    for x, low, high in curve.select("forecast", "low", "high").iter_rows():
        plot.line([x, x], [low, high], ACCENT, 1.5)
    plot.line(forecast, observed, ACCENT, 1, opacity=0.5)
    words = [
        f"{100 * f:.1f} % → {100 * o:.1f} %, {n}" for f, o, n in zip(forecast, observed, curve["cases"], strict=True)
    ]
    plot.dots(forecast, observed, ACCENT, 4.4, words, edge=(PAPER, 1))
    caption = say("calibration.caption_rare" if rare else "calibration.caption", groups=curve.height)
    return figure(plot.drawn(), name, say("calibration.figure", name=of), caption, say("alt.calibration"))
