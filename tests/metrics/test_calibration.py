"""The calibration curve against scikit-learn and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.calibration import calibration_curve as theirs

from evenray.metrics import calibration_curve
from evenray.metrics.intervals import clopper_pearson, wilson


def test_curve_agrees_with_scikit_learn(make_predictions):
    predictions = make_predictions(cases=1000)
    observed, forecast = theirs(predictions.targets, predictions.probabilities[:, 1], n_bins=10, strategy="quantile")
    curve = calibration_curve(predictions)
    np.testing.assert_allclose(curve["observed"], observed, atol=0.011)  # a case may stand on either side of an edge
    np.testing.assert_allclose(curve["forecast"], forecast, atol=0.005)
    assert curve["cases"].sum() == 1000
    assert curve["cases"].max() - curve["cases"].min() <= 1


def test_a_calibrated_forecast_lies_within_its_intervals(make_predictions):
    curve = calibration_curve(make_predictions(cases=50_000))
    held = curve.filter((curve["low"] <= curve["forecast"]) & (curve["forecast"] <= curve["high"]))
    assert held.height >= 8


def test_images_of_one_patient_widen_the_intervals_of_the_curve(binary):
    """Eight images a patient, alike in forecast and outcome, say as much as one."""
    rng = np.random.default_rng(0)
    said = rng.random(400).round(2)
    came = (rng.random(400) < said).astype(int)
    alone = calibration_curve(binary(said, came), bins=5)
    table = binary(np.repeat(said, 8), np.repeat(came, 8))
    patients = [f"p{i // 8}" for i in range(3200)]
    many = calibration_curve(replace(table, table=table.table.with_columns(patient=pl.Series(patients))), bins=5)
    np.testing.assert_allclose(many["low"], alone["low"], atol=0.01)
    np.testing.assert_allclose(many["high"], alone["high"], atol=0.01)


def test_few_and_equal_forecasts_make_few_bins(binary):
    curve = calibration_curve(binary([0.3] * 5 + [0.8] * 5, [0, 0, 0, 1, 1, 1, 1, 1, 1, 0]))
    assert curve["cases"].to_list() == [5, 5]
    assert curve["forecast"].to_list() == pytest.approx([0.3, 0.8])
    assert curve["observed"].to_list() == pytest.approx([0.4, 0.8])
    assert calibration_curve(binary([0.3], [1]))["cases"].to_list() == [1]


def test_intervals_of_shares_by_hand():
    low, high = wilson([0, 5, 10], [10, 10, 10])
    z2 = 1.959963984540054**2
    assert (low[0], high[2]) == (0, 1)
    assert high[0] == pytest.approx(z2 / (10 + z2))
    assert low[1] + high[1] == pytest.approx(1)
    assert clopper_pearson(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1))
