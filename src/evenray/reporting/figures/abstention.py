"""Abstention: how often the model is right where it answers the surest cases alone, and who is left without an answer."""

from __future__ import annotations

from collections.abc import Mapping

from evenray.core.artefacts.uncertainty import AbstentionCurve, PredictionSets
from evenray.reporting.language import Language

from .plot import Plot, axis
from .svg import ACCENT, GREY, OTHERS, PAPER, WIDTH, Svg, percent

__all__ = ["abstention", "answered"]


def abstention(curve: AbstentionCurve, sets: PredictionSets | None, say: Language) -> Svg:
    """Accuracy against the share answered with its band, beside answering at random; a dot where `sets` hold one class."""
    usual = curve.area.baseline
    single = sets.single if sets and sets.single else None
    values = [*curve.accuracy, *curve.low, usual, 1.0, *([single.low] if single else [])]
    x = axis([0, 1], say("axis.answered"), words=percent)
    plot = Plot(WIDTH, 230, x, axis(values, say("axis.right"), words=lambda value: percent(value)))
    plot.area(curve.shares, curve.high, ACCENT, 0.15, curve.low)
    plot.line([0, 1], [usual, usual], GREY, 1.2, "4 4")
    plot.line(curve.shares, curve.accuracy, ACCENT, 1.8)
    legend = {say("uncertainty.sure_first"): ACCENT, say("uncertainty.at_random"): GREY}
    if single and sets:
        share, words = sets.sizes[1], say("uncertainty.single", coverage=say.percent(sets.coverage, 0))
        plot.line([share, share], [single.low, single.high], OTHERS[0], 1.5)
        plot.dots([share], [single.value], OTHERS[0], 4.4, [words], edge=(PAPER, 1))
        legend[words] = OTHERS[0]
    return plot.drawn(say("alt.abstention"), legend)


def answered(curve: AbstentionCurve, colours: Mapping[str, str], say: Language) -> Svg:
    """The share of each class's cases among the surest; where a line lies low, abstention leaves out that class first."""
    plot = Plot(
        WIDTH,
        230,
        axis([0, 1], say("axis.answered"), words=percent),
        axis([0, 1], say("axis.answered_class"), words=percent),
    )
    plot.line([0, 1], [0, 1], GREY, 1, "4 4")
    for own, colour in zip(curve.answered, colours.values(), strict=True):
        plot.line(curve.shares, own, colour, 1.8)
    return plot.drawn(say("alt.answered"), colours)
