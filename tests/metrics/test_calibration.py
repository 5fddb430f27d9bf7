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


def test_at_a_prevalence_the_curve_is_that_of_cases_in_these_shares(binary):
    """One sick in four is made one in thirteen: as if every healthy case stood there four times."""
    rng = np.random.default_rng(2)
    said = rng.choice([0.1, 0.3, 0.6, 0.8], 400)
    came = (np.arange(400) % 4 == 0).astype(int)
    there = calibration_curve(binary(said, came), bins=1000, prevalence=1 / 13)
    repeated = np.repeat(np.arange(400), np.where(came == 1, 1, 4))
    wanted = calibration_curve(binary(said[repeated], came[repeated]), bins=1000)
    np.testing.assert_allclose(there["forecast"], wanted["forecast"])
    np.testing.assert_allclose(there["observed"], wanted["observed"])
    here = calibration_curve(binary(said, came), bins=1000)
    assert there["cases"].equals(here["cases"])  # as many cases as there are, with what they can tell
    for name in ("observed", "low", "high"):
        odds = here[name] / (1 - here[name]) / 4
        np.testing.assert_allclose(there[name], odds / (1 + odds))


@pytest.mark.parametrize("classes", [2, 3])
def test_forecasts_for_another_prevalence_lie_on_its_diagonal(make_predictions, classes):
    here = make_predictions(cases=50_000, classes=classes)
    before, after = np.bincount(here.targets) / 50_000, np.array([0.05, 0.93, 0.02] if classes == 3 else [0.98, 0.02])
    p = here.probabilities * after / before
    columns = [pl.Series(f"p_{k}", column) for k, column in enumerate((p / p.sum(axis=1, keepdims=True)).T)]
    there = replace(here, table=here.table.with_columns(columns))
    for name in there.classes:
        held = [
            ((curve["low"] <= curve["forecast"]) & (curve["forecast"] <= curve["high"])).sum()
            for curve in (calibration_curve(there, name, prevalence=after), calibration_curve(there, name))
        ]
        assert held[0] >= 8 > 2 >= held[1]


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
