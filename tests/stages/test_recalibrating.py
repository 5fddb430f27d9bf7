"""Probabilities fitted anew on half of an external set, where its patients are few."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts.scores import CalibrationRecord, ScoresRecord
from evenray.core.types import Predictions
from evenray.stages.recalibrating import recalibrated


@pytest.mark.parametrize(("rule", "refused"), [("sensitivity(0.97)", "sensitivity(0.97)"), ("youden", None)])
def test_a_rule_that_half_of_the_patients_cannot_keep_leaves_the_figures(rule: str, refused: str | None) -> None:
    rng, sick = np.random.default_rng(0), np.arange(120) < 50  # 25 of them to choose on, and the rule needs 33
    p = np.clip(np.where(sick, 0.6, 0.4) + rng.normal(0, 0.15, 120), 0.01, 0.99)
    who = [str(i) for i in range(120)]
    table = pl.DataFrame({"case": who, "patient": who, "target": sick.astype(int), "p_0": 1 - p, "p_1": p})
    scores = ScoresRecord(
        classes=("well", "sick"), positive="sick", threshold=0.5, threshold_rule=rule, prevalence=None, tta=None, parts={},
        calibration=CalibrationRecord(method="none", parameters={}), patients=None, groups={}, decision_curve={},
    )  # fmt: skip
    found = recalibrated(Predictions(table, ("well", "sick"), "sick"), scores, 0.5, seed=0)
    assert found.refused == refused
    assert (found.threshold is None, found.rates == {}) == (refused is not None,) * 2
    assert found.figures["log_loss"].before.value > 0
