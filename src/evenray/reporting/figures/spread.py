"""How the predicted probabilities of each class spread, with the threshold across them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.reporting.language import Language

from .histogram import touching
from .plot import Axis, Plot, Scale, axis, stacked
from .svg import INK, WIDTH, Svg, number

__all__ = ["EDGE", "log_odds", "spread"]

EDGE = 7.0  # log-odds of the axis's ends; probabilities beyond 0.1 % and 99.9 % stand there
MARKS = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)


def log_odds(p: Any) -> NDArray[np.float64]:
    """ln(p / (1 - p)), held within the axis.

    >>> log_odds([0.0, 0.5, 1.0])
    array([-7.,  0.,  7.])
    """
    inside = np.clip(np.asarray(p, np.float64), 1e-9, 1 - 1e-9)
    return np.clip(np.log(inside / (1 - inside)), -EDGE, EDGE)


def spread(
    groups: Mapping[str, NDArray[np.float64]], colours: Mapping[str, str], threshold: float, say: Language
) -> Svg:
    """A histogram of each class's probabilities, on one log-odds axis so that rare classes can be seen as well."""
    rows = [_row(name, p, colours[name], threshold, say, name == list(groups)[-1]) for name, p in groups.items()]
    return stacked(rows, say("threshold.spread"))


def _row(name: str, p: NDArray[np.float64], colour: str, threshold: float, say: Language, last: bool) -> Plot:
    counts, edges = np.histogram(log_odds(p), np.linspace(-EDGE, EDGE, 57))
    ticks = {at: f"{m * 100:g} %" if last else "" for at, m in zip(log_odds(MARKS).tolist(), MARKS, strict=True)}
    x = Axis(Scale(-EDGE, EDGE), ticks, say("axis.probability_log_odds") if last else "", grid=False)
    y = axis(counts, say("axis.images"), words=number, count=3, least=1, zero=True)
    plot = touching(counts, edges, x, y, colour, 74, WIDTH)
    plot.words(6, 8, name, bold=True)
    plot.upright(float(log_odds(threshold)), INK, 1.5, f"moving{'last' if last else 'first'}")
    return plot
