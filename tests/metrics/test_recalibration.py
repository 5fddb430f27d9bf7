"""Slope, calibration-in-the-large and observed : expected against other fits, on known distortions, and by their spread."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logit
from sklearn.linear_model import LogisticRegression

from evenray.core.types import Predictions
from evenray.metrics import calibration_by_class, per_class, recalibration, score


def test_slope_and_intercept_agree_with_logistic_regression(make_predictions):
    predictions = make_predictions(cases=400, seed=3)
    x, came = logit(predictions.probabilities[:, 1]), predictions.targets
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(x[:, None], came)
    found = recalibration(predictions)
    assert found["calibration_slope"][0] == pytest.approx(theirs.coef_[0, 0], rel=1e-5)
    shift = found["calibration_in_the_large"][0]
    assert expit(x + shift).sum() == pytest.approx(came.sum())
    assert found["oe_ratio"][0] == pytest.approx(came.sum() / predictions.probabilities[:, 1].sum())


@pytest.mark.parametrize("classes", [2, 4])
def test_the_common_slope_agrees_with_a_general_optimiser(make_predictions, classes):
    predictions = make_predictions(cases=500, classes=classes, seed=1)
    log_p = np.log(predictions.probabilities)

    def loss(theta):
        q = log_softmax(log_p * theta[-1] + np.append(0.0, theta[:-1]), axis=1)
        return -q[np.arange(len(q)), predictions.targets].sum()

    theirs = minimize(loss, np.append(np.zeros(classes - 1), 1.0)).x[-1]
    assert recalibration(predictions)["calibration_slope"][0] == pytest.approx(theirs, abs=1e-4)


def distorted(slope: float, shift: float, cases: int = 40_000, seed: int = 0) -> Predictions:
    """Forecasts of which the outcome's log-odds are slope x theirs + shift."""
    rng = np.random.default_rng(seed)
    s = rng.normal(-2, 1.2, cases)
    came = (rng.random(cases) < expit(slope * s + shift)).astype(np.int64)
    table = {"target": came, "p_0": expit(-s), "p_1": expit(s), "patient": [None] * cases}
    return Predictions(pl.DataFrame(table, schema_overrides={"patient": pl.String}), ("healthy", "sick"), "sick")


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, 0.0), (1.0, -1.0), (1.0, 0.7)])
def test_known_distortions_are_named(slope, shift):
    found = recalibration(distorted(slope, shift))
    assert found["calibration_slope"][0] == pytest.approx(slope, abs=0.06)
    if slope == 1:
        assert found["calibration_in_the_large"][0] == pytest.approx(shift, abs=0.06)
        assert (found["oe_ratio"][0] > 1) == (shift > 0) or shift == 0


def test_the_intervals_are_as_wide_as_the_figures_spread():
    drawn = [recalibration(distorted(0.8, -0.3, cases=800, seed=seed)) for seed in range(150)]
    for name in drawn[0]:
        values, low, high = np.array([each[name] for each in drawn]).T
        scale = np.log if name == "oe_ratio" else np.asarray
        said = np.mean(scale(high) - scale(low)) / (2 * 1.96)
        assert said == pytest.approx(scale(values).std(), rel=0.2)


def test_ten_images_of_each_patient_tell_no_more_than_one():
    one = distorted(1.0, 0.0, cases=300)
    names = pl.Series("patient", [str(i) for i in range(300)])
    ten = Predictions(pl.concat([one.table.with_columns(names)] * 10), one.classes, one.positive)
    for name, bounds in recalibration(one).items():
        assert recalibration(ten)[name] == pytest.approx(bounds, abs=1e-6)


def test_what_cannot_be_told_is_not_told(binary):
    apart = recalibration(binary([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]))
    assert np.isnan(apart["calibration_slope"]).all()
    assert apart["oe_ratio"][0] == pytest.approx(1)
    alone = recalibration(binary([0.1, 0.2], [0, 0]))
    assert np.isnan(list(alone.values())).all()


def test_at_another_prevalence_they_are_those_of_forecasts_for_it(make_predictions):
    predictions = make_predictions(cases=4000, prevalence=0.3)
    right = recalibration(distorted(1.0, 0.0))
    s = logit(predictions.probabilities[:, 1]) - logit(0.3) + logit(0.01)
    moved = predictions.table.with_columns(p_0=expit(-s), p_1=expit(s))
    there = recalibration(Predictions(moved, predictions.classes, "sick"), np.array([0.99, 0.01]))
    here = recalibration(predictions)
    assert there["calibration_slope"][0] == pytest.approx(here["calibration_slope"][0], abs=0.15)
    assert there["oe_ratio"][0] == pytest.approx(1, abs=0.2)
    assert right["oe_ratio"][0] == pytest.approx(1, abs=0.05)


def test_each_of_many_classes_stands_against_the_rest(make_predictions):
    predictions = make_predictions(cases=600, classes=3)
    found, beside = calibration_by_class(predictions), per_class(predictions, resamples=1)
    for name in predictions.classes:
        assert found[name]["oe_ratio"][0] == pytest.approx(beside[name].oe_ratio.value)
    assert set(score(predictions, resamples=0).estimates) & set(found["sick"]) == {"calibration_slope"}


def test_the_baseline_has_no_slope_and_the_ratio_of_the_prevalences(make_predictions):
    scores = score(make_predictions(prevalence=0.3), prior=0.1, resamples=0)
    share = np.mean(make_predictions(prevalence=0.3).targets)
    assert np.isnan(scores.calibration_slope.baseline)
    assert scores.oe_ratio.baseline == pytest.approx(share / 0.1)
    assert scores.calibration_in_the_large.baseline == pytest.approx(logit(share) - logit(0.1), abs=1e-6)
