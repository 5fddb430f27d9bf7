"""What attribution is held against: deletion and insertion curves, and how maps change as the network becomes noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale, axis
from .svg import ACCENT, GREY, OTHERS, Svg, number, percent

__all__ = ["likeness", "removal"]

COLOURS = {"map": ACCENT, "random": GREY, "centre": OTHERS[0]}
SIZE = 215, 150


def removal(shares: Sequence[float], curves: Mapping[str, Sequence[float]], say: Language) -> Svg:
    """The mean probability of the answer against the share that is deleted or inserted, by order."""
    plot = Plot(
        *SIZE, axis([0, 1], say("axis.share_removed"), words=percent, count=4, grid=False),
        axis([0, 1], say("axis.answer_probability"), words=number, count=4),
    )  # fmt: skip
    for order, values in curves.items():
        plot.line(np.asarray(shares), np.asarray(values), COLOURS[order])
        words = [
            f"{say(f'attribution.order_{order}')} {share:.0%}: {value:.3f}"
            for share, value in zip(shares, values, strict=True)
        ]
        plot.dots(np.asarray(shares), np.asarray(values), COLOURS[order], 2.6, words)
    return plot.drawn(say("alt.removal"), {say(f"attribution.order_{order}"): COLOURS[order] for order in curves})


def likeness(cascade: Mapping[str, float], say: Language) -> Svg:
    """The mean rank correlation of maps at each step of the cascade."""
    names = [say("attribution.head") if step == "head" else step for step in cascade]
    at, values = np.arange(len(names), dtype=np.float64), np.array(list(cascade.values()))
    every = max(1, len(names) // 6)
    ticks = {float(i): name if i % every == 0 else "" for i, name in enumerate(names)}
    x = Axis(Scale(0, max(1, len(names) - 1)), ticks, say("axis.noise"), grid=False)
    plot = Plot(*SIZE, x, axis([min(0.0, *values.tolist()), 1], say("axis.likeness"), words=number, count=4))
    plot.line(at, values, ACCENT)
    plot.dots(at, values, ACCENT, 2.6, [f"{name}: {value:.3f}" for name, value in zip(names, values, strict=True)])
    return plot.drawn(say("alt.cascade"))
