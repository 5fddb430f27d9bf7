"""Calibrations fitted to the validation part: of boxes a probability is how often such a box is right."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evenray.core.recipe import Recipe
from evenray.learning.tasks import task_of
from evenray.learning.tasks.task import Asked
from evenray.stages.calibrating import fitted_calibrations


@pytest.mark.parametrize("share", [0.02, 0.08, 0.4])
def test_scores_of_boxes_that_are_right_stay_as_they_are(share: float) -> None:
    """Boxes are drawn whose score is the probability that they are right, as few of them as hard negatives leave: nothing is to be
    mended, and what was 15 % stays 15 %."""
    rng = np.random.default_rng(7)
    p = np.clip(rng.beta(0.8, 0.8 * (1 - share) / share, 20_000), 1e-6, 1 - 1e-6)
    right = (rng.random(len(p)) < p).astype(np.int64)
    logits = np.column_stack([np.zeros(len(p)), np.log(p / (1 - p))])
    asked = [Asked(logits, right, np.array([500, 500]))]
    detect = task_of("detect")
    remedy = detect.remedy("none", np.array([[1], [0]]), ("cell",), "cell")
    task: Any = SimpleNamespace(output=detect.output, asked=lambda told, targets: asked)
    [fitted] = fitted_calibrations(task, remedy, logits, right, Recipe(), None)  # type: ignore[arg-type]
    found = fitted.apply(remedy.questions[0].balance.correct(logits, remedy.questions[0].prior))[:, 1]
    assert found.mean() == pytest.approx(right.mean(), rel=0.02)
    middle = (p > 0.1) & (p < 0.2)
    assert found[middle].mean() == pytest.approx(right[middle].mean(), abs=0.03)
