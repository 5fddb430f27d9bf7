"""Calibrations that the validation part has cases enough for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.recipe import EvaluateSettings
from evenray.learning.plan.training import ENOUGH_TO_CHOOSE
from evenray.learning.tasks import Remedy, Task
from evenray.metrics import Calibration, calibrate

from .tools import Tools

__all__ = ["NONE", "fitted_calibrations", "uncalibrated"]

NONE = Calibration("none", {})


def uncalibrated(task: Task, remedy: Remedy, told: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities corrected for the remedy alone, float64 (cases, classes): neither calibrated nor for other class shares."""
    questions = remedy.questions
    return task.probabilities(questions, told, [NONE] * len(questions), [None] * len(questions))


def fitted_calibrations(
    task: Task, remedy: Remedy, told: NDArray[Any], targets: NDArray[np.int64], settings: EvaluateSettings, tools: Tools
) -> list[Calibration]:
    """The calibration of every question that enough validation cases answer; the others stay as they are."""
    found, few = [], []
    for question, own in zip(remedy.questions, task.asked(told, targets), strict=True):
        fewest = int(own.images.min())
        if fewest >= ENOUGH_TO_CHOOSE:
            corrected = question.balance.correct(own.logits, question.prior)
            # What share of the boxes found is right is no property of the training part: they count as they are.
            prior = None if task.output == "boxes" else question.prior
            found.append(calibrate(corrected, own.classes, settings.calibration, prior, own.weights))
        else:
            found.append(NONE)
            few.append(fewest)
    if few and settings.calibration not in ("none", EvaluateSettings().calibration):
        tools.events.tell(
            "evaluate.not_calibrated", "warning", count=min(few), method=settings.calibration, needed=ENOUGH_TO_CHOOSE
        )
    return found
