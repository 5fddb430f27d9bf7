"""A figure under one corruption after another, grade by grade, for each network."""

from __future__ import annotations

from collections.abc import Mapping

from evenray.core.artefacts.robustness import RobustnessRecord
from evenray.reporting.language import Language

from .plot import Axis, Plot, Scale, axis
from .svg import Svg, number

__all__ = ["robustness"]


def robustness(
    record: RobustnessRecord, corruption: str, metric: str, colours: Mapping[str, str], say: Language
) -> Svg:
    """Of each network, by its contrast, the figure on clean images (grade 0) and at the five grades, with its band."""
    every = [
        value for network in record.networks for each in (network.clean, *(one.figures for one in network.degraded))
        for value in (each[metric].value, each[metric].low, each[metric].high) if value == value
    ]  # fmt: skip
    x = Axis(Scale(0, 5), {float(grade): str(grade) for grade in range(6)}, say("axis.grade"), grid=False)
    plot = Plot(215, 150, x, axis([*every, 1.0], say.name("metric", metric), words=number))
    for network in record.networks:
        grades = [one for one in network.degraded if one.corruption == corruption]
        figures = [network.clean[metric], *(one.figures[metric] for one in grades)]
        at, colour = [0, *(one.grade for one in grades)], colours[network.contrast]
        y, low, high = ([getattr(each, end) for each in figures] for end in ("value", "low", "high"))
        plot.area(at, high, colour, 0.12, low)
        plot.line(at, y, colour)
        plot.dots(
            at, y, colour, 2.6, [f"{network.contrast} {grade}: {value:.3f}" for grade, value in zip(at, y, strict=True)]
        )
    return plot.drawn(say("alt.robustness", corruption=say(f"corruption.{corruption}")), colours)
