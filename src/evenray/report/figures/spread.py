"""How the predicted probabilities of each class spread, with the threshold across them."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..language import Language
from ..style import INK, Figure, figure
from .histogram import steps, touching

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


def spread(groups: dict[str, NDArray[np.float64]], colours: dict[str, str], threshold: float, say: Language) -> Figure:
    """A histogram of each class's probabilities, on one log-odds axis so that rare classes can be seen as well."""
    rows = [_row(name, p, colours[name], threshold, say, name == list(groups)[-1]) for name, p in groups.items()]
    return figure(alt.vconcat(*rows, spacing=14), "scores", say("threshold.spread"), say("threshold.spread_caption"))


def _row(name: str, p: NDArray[np.float64], colour: str, threshold: float, say: Language, last: bool) -> Any:
    counts, edges = np.histogram(log_odds(p), np.linspace(-EDGE, EDGE, 57))
    ticks = log_odds(MARKS).round(4).tolist()
    words = " : ".join(f"abs(datum.value - {t}) < 0.01 ? '{m * 100:g} %'" for t, m in zip(ticks, MARKS, strict=True))
    axis = alt.Axis(values=ticks, labelExpr=f"{words} : ''", labels=last, grid=False, labelOverlap=False)
    title = say("axis.probability_log_odds") if last else None
    x = alt.X("x:Q", title=title, axis=axis, scale=alt.Scale(domain=[-EDGE, EDGE], nice=False))
    y = alt.Y("y:Q", title=say("axis.images"), axis=alt.Axis(tickCount=3, format="d"))
    rule = alt.Chart(pl.DataFrame({"x": [float(log_odds(threshold))]})).mark_rule(color=INK, strokeWidth=1.5)
    word = alt.Chart(pl.DataFrame({"text": [name]})).encode(text="text:N")
    word = word.mark_text(align="left", x=6, y=8, fontSize=12, fontWeight="bold", color=INK)
    moving = rule.encode(x=x).properties(name=f"moving{'last' if last else 'first'}")
    return alt.layer(touching(steps(counts, edges), x, y, colour, 74), word, moving)
