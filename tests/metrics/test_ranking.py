"""ROC and precision-recall curves against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from evenray.core.errors import UsageError
from evenray.metrics import precision_recall, roc, score, sensitivity_at_specificity


@pytest.mark.parametrize("decimals", [None, 0])
def test_roc_agrees_with_scikit_learn(make_predictions, decimals):
    predictions = make_predictions(decimals=decimals)
    fpr, tpr, thresholds = sk.roc_curve(predictions.targets, predictions.probabilities[:, 1], drop_intermediate=False)
    curve = roc(predictions)
    np.testing.assert_allclose(curve["false_positive_rate"], fpr)
    np.testing.assert_allclose(curve["sensitivity"], tpr)
    np.testing.assert_allclose(curve["threshold"], thresholds)


@pytest.mark.parametrize("decimals", [None, 0])
def test_precision_recall_agrees_with_scikit_learn(make_predictions, decimals):
    predictions = make_predictions(decimals=decimals)
    precision, recall, thresholds = sk.precision_recall_curve(predictions.targets, predictions.probabilities[:, 1])
    curve = precision_recall(predictions)
    np.testing.assert_allclose(curve["precision"], precision[:-1][::-1])
    np.testing.assert_allclose(curve["recall"], recall[:-1][::-1])
    np.testing.assert_allclose(curve["threshold"], thresholds[::-1])


@pytest.mark.parametrize("decimals", [None, 0])
def test_precision_recall_at_a_prevalence_agrees_with_weighted_scikit_learn(make_predictions, decimals):
    predictions = make_predictions(decimals=decimals)
    sick = predictions.targets == 1
    weights = np.where(sick, 0.05 / sick.mean(), 0.95 / (1 - sick.mean()))
    precision, recall, _ = sk.precision_recall_curve(sick, predictions.probabilities[:, 1], sample_weight=weights)
    curve = precision_recall(predictions, prevalence=0.05)
    np.testing.assert_allclose(curve["precision"], precision[:-1][::-1])
    np.testing.assert_allclose(curve["recall"], recall[:-1][::-1])
    gained = np.diff(curve["recall"], prepend=0)
    area = score(predictions, resamples=0, prevalence=0.05).auprc.value
    assert (gained * curve["precision"].to_numpy()).sum() == pytest.approx(area)


def test_areas_are_those_of_the_curves(make_predictions):
    predictions = make_predictions(decimals=1)
    curve, steps, scores = roc(predictions), precision_recall(predictions), score(predictions, resamples=0)
    assert np.trapezoid(curve["sensitivity"], curve["false_positive_rate"]) == pytest.approx(scores.auroc.value)
    gained = np.diff(steps["recall"], prepend=0)
    assert (gained * steps["precision"].to_numpy()).sum() == pytest.approx(scores.auprc.value)


def test_each_class_has_a_curve_of_its_own(make_predictions):
    predictions = make_predictions(classes=3)
    areas = []
    for name in predictions.classes:
        curve = roc(predictions, of=name)
        areas.append(np.trapezoid(curve["sensitivity"], curve["false_positive_rate"]))
    assert np.mean(areas) == pytest.approx(score(predictions, resamples=0).auroc.value)
    with pytest.raises(UsageError, match="no class named 'healthy'"):
        roc(predictions, of="healthy")


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("specificity", [0.5, 0.9, 0.95, 1.0])
def test_sensitivity_at_a_specificity_is_read_off_the_curve(make_predictions, decimals, specificity):
    predictions = make_predictions(decimals=decimals)
    fpr, tpr, _ = sk.roc_curve(predictions.targets, predictions.probabilities[:, 1], drop_intermediate=False)
    found = sensitivity_at_specificity(predictions, specificity, resamples=200)
    assert found.value == pytest.approx(tpr[fpr <= 1 - specificity + 1e-9].max())
    assert found.low <= found.value <= found.high
