"""Before and after contrast enhancement: the images, their histograms and the curve between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.explained import Preview
from evenray.images.histogram import Histogram
from evenray.reporting.figures.histogram import pixels
from evenray.reporting.figures.svg import ACCENT, GREY, Figure
from evenray.reporting.figures.transfer import transfer
from evenray.reporting.language import Language
from evenray.reporting.pictures import photograph
from evenray.reporting.view import RunView

__all__ = ["context"]

THIRD = 215  # pixels inside the axes of figures that stand three in a row


@dataclass(frozen=True)
class Example:
    case: str
    contrast: str
    before: str | None
    after: str | None
    value_range: str
    figures: list[Figure]
    local: bool
    measures: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Shown:
    examples: list[Example]


def context(run: RunView, say: Language) -> Shown | None:
    if run.previews is None:
        return None
    return Shown(examples=[_example(run, example, say) for example in run.previews.entries])


def _example(run: RunView, example: Preview, say: Language) -> Example:
    titles = [say(f"contrast.{name}") for name in ("before", "curve", "after")]
    before, after = (np.asarray(counts, np.int64) for counts in (example.histogram_before, example.histogram_after))
    figures = [Figure(titles[0], pixels(before, titles[0], say, GREY, THIRD))]
    if example.curve:
        label = say("alt.curve", title=titles[1])
        figures.append(Figure(titles[1], transfer(np.asarray(example.curve, float), label, say, width=THIRD)))
    figures.append(Figure(titles[2], pixels(after, titles[2], say, ACCENT, THIRD)))
    low, high = example.value_range
    return Example(
        case=example.case,
        contrast=example.contrast,
        before=photograph(run.path / "contrast" / example.before),
        after=photograph(run.path / "contrast" / example.after),
        value_range=f"{low:g} – {high:g}",
        figures=figures,
        local=not example.curve,
        measures=_measures(before, after, say),
    )


def _measures(before: NDArray[np.int64], after: NDArray[np.int64], say: Language) -> list[tuple[str, str, str]]:
    """Moments of both histograms over the unit range, each as name, before and after."""
    pair = [Histogram(counts, np.linspace(0, 1, len(counts) + 1)) for counts in (before, after)]
    rows = {
        "mean": [say.number(h.mean) for h in pair],
        "deviation": [say.number(float(h.variance) ** 0.5) for h in pair],
        "skewness": [say.signed(h.skewness, 2) for h in pair],
        "entropy": [say.number(h.entropy, 2) for h in pair],
        "saturated": [say.percent(sum(h.saturation)) for h in pair],
    }
    return [(say(f"contrast.{name}"), first, second) for name, (first, second) in rows.items()]
