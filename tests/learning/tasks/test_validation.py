"""What is watched of a validation part while training, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from evenray.learning.tasks.classify import Classify


def logits(cases: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    targets = (rng.random(cases) < 0.3).astype(np.int64)
    margin = rng.normal(size=cases) + shift * targets
    return np.column_stack([-margin, margin]) / 2, targets


def test_areas_and_loss_are_those_of_scikit_learn() -> None:
    logits_NK, targets = logits(300, 1.5)
    row, score = Classify().validation_metrics(logits_NK, targets), logits_NK[:, 1]
    auprc = [average_precision_score(targets == k, (-1) ** (1 - k) * score) for k in (0, 1)]
    assert row["validation_macro_auprc"] == pytest.approx(np.mean(auprc))
    assert row["validation_auroc"] == pytest.approx(roc_auc_score(targets, score))
    assert row["validation_loss"] == pytest.approx(log_loss(targets, 1 / (1 + np.exp(-2 * score))))


def test_the_error_is_the_deviation_over_fresh_samples() -> None:
    """One part's bootstrap error against the spread of the figure over 300 parts drawn anew."""
    rng, found = np.random.default_rng(4), []
    for _ in range(300):
        targets = (rng.random(400) < 0.3).astype(np.int64)
        margin = rng.normal(size=400) + 1.5 * targets
        found.append(Classify().validation_metrics(np.column_stack([-margin, margin]) / 2, targets))
    spread = np.std([row["validation_macro_auprc"] for row in found])
    assert np.mean([row["validation_macro_auprc_error"] for row in found]) == pytest.approx(spread, rel=0.15)


def test_a_class_without_cases_is_left_out() -> None:
    logits_NK, targets = logits(60, 2.0)
    three = np.column_stack([logits_NK, np.full(60, -5.0)])
    assert np.isfinite(list(Classify().validation_metrics(three, targets).values())).all()


def test_of_many_classes_with_one_case_each_there_is_no_standard_error() -> None:
    """No resample holds them all; warnings are errors here."""
    found = Classify().validation_metrics(np.eye(40) + np.random.default_rng(0).normal(size=(40, 40)), np.arange(40))
    assert np.isnan(found["validation_macro_auprc_error"])
    assert found["validation_macro_auprc"] > 0
