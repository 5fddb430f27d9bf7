"""Before and after contrast enhancement: the images, their histograms and the curve between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.images.histogram import Histogram
from evenray.reporting.figures.histogram import pixels, transfer
from evenray.reporting.folder import Run
from evenray.reporting.language import Language
from evenray.reporting.pictures import photograph
from evenray.reporting.style import ACCENT, GREY

__all__ = ["context"]

THIRD = 215  # pixels inside the axes of figures that stand three in a row


def context(run: Run, say: Language) -> dict[str, Any] | None:
    if run.contrasts is None:
        return None
    return {"examples": [_example(run, n, example, say) for n, example in enumerate(run.contrasts)]}


def _example(run: Run, n: int, example: dict[str, Any], say: Language) -> dict[str, Any]:
    before = np.asarray(example["histogram_before"], np.int64)
    after = np.asarray(example["histogram_after"], np.int64)
    figures = [pixels(before, f"contrast-{n}-before", say("contrast.before"), say, GREY, THIRD)]
    if example.get("curve"):
        figures.append(
            transfer(np.asarray(example["curve"], float), f"contrast-{n}-curve", say("contrast.curve"), say, THIRD)
        )
    figures.append(pixels(after, f"contrast-{n}-after", say("contrast.after"), say, ACCENT, THIRD))
    folder = run.folder / "contrast"
    value_range = example.get("value_range")
    return {
        "case": example["case"],
        "contrast": example["contrast"],
        "before": photograph(folder / example["before"]),
        "after": photograph(folder / example["after"]),
        "value_range": None if not value_range else f"{value_range[0]:g} – {value_range[1]:g}",
        "figures": figures,
        "local": not example.get("curve"),
        "measures": _measures(before, after, say),
    }


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
