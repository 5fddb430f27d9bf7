"""Whether the probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenray.core.artefacts.scores import Figure as Score
from evenray.metrics import RECALIBRATION, calibration_curve
from evenray.reporting.figures.calibration import calibration, is_rare
from evenray.reporting.figures.svg import Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]


@dataclass(frozen=True)
class Shown:
    figures: list[Figure]
    metrics: list[tuple[str, Score]]
    by_class: list[tuple[str, list[Score | None]]]
    names: tuple[str, ...] = RECALIBRATION


def context(run: RunView, say: Language) -> Shown | None:
    if run.predictions is None:
        return None
    test = run.predictions.part("test")
    if test.table.is_empty():
        return None
    names = [run.positive] if run.binary else list(run.drawn)
    if run.shares is not None and len(np.unique(test.targets)) < len(run.classes):
        names = []  # a class without a case cannot be given its share
    figures = []
    for name in names:
        curve = calibration_curve(test, name, prevalence=run.shares)
        caption = say("calibration.caption_rare" if is_rare(curve) else "calibration.caption", groups=curve.height)
        figures.append(Figure(say("calibration.figure", name=name), calibration(curve, say), caption))
    metrics = run.test.metrics if run.test else {}
    told = [(name, metrics[name]) for name in (*RECALIBRATION, "brier", "ece", "log_loss") if name in metrics]
    found = run.results.calibration_by_class if run.results else {}
    by_class = [(name, [figures.get(each) for each in RECALIBRATION]) for name, figures in found.items()]
    return Shown(figures=figures, metrics=told, by_class=by_class)
