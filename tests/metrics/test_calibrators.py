"""Calibration against scikit-learn, on distortions whose undoing is known, and through JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from evenray.core.errors import DataError, UsageError
from evenray.metrics import Calibration, calibrate, calibrations


def world(cases=4000, classes=2, seed=0):
    """True log posteriors (N, K) and the classes that came of them."""
    rng = np.random.default_rng(seed)
    z = rng.normal(scale=1.5, size=(cases, classes)) + np.linspace(1, -1, classes)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return np.log(p), (p.cumsum(axis=1) < rng.random((cases, 1))).sum(axis=1)


def odds(z):
    return z[:, 1] - z[:, 0]


def both(s):
    return np.column_stack([np.zeros(len(s)), s])


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("factor", [0.2, 3.0])
def test_temperature_takes_out_a_factor(classes, factor):
    z, came = world(classes=classes)
    fitted = calibrate(z * factor, came, "temperature")
    assert fitted.parameters["temperature"] == pytest.approx(factor, rel=0.08)
    np.testing.assert_allclose(fitted.apply(z * factor), np.exp(z), atol=0.03)


def test_platt_agrees_with_scikit_learn():
    z, came = world()
    s = 2 * odds(z) + 1
    theirs = _SigmoidCalibration().fit(s, came)
    np.testing.assert_allclose(calibrate(both(s), came, "platt").apply(both(s))[:, 1], theirs.predict(s), atol=1e-4)


def test_isotonic_agrees_with_scikit_learn():
    z, came = world(cases=500)
    s = odds(z).round(1)  # ties among them
    theirs = IsotonicRegression(out_of_bounds="clip").fit(s, came)
    new = np.linspace(-9, 9, 300)
    inside = np.clip(theirs.predict(new), 1 / 502, 501 / 502)
    np.testing.assert_allclose(calibrate(both(s), came, "isotonic").apply(both(new))[:, 1], inside, atol=0.002)


def test_beta_agrees_with_a_logistic_fit_in_its_features():
    z, came = world()
    p = expit(1.5 * odds(z) + 0.5)
    features = np.column_stack([np.log(p), -np.log(1 - p)])
    sick, healthy = came.sum(), len(came) - came.sum()
    aim = np.where(came == 1, (sick + 1) / (sick + 2), 1 / (healthy + 2))  # Platt's targets, as two weighted cases each
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.tile(features, (2, 1)), np.repeat([1, 0], len(came)), np.append(aim, 1 - aim)
    )
    assert (theirs.coef_ > 0).all()  # so that the bounds at zero do not bind
    np.testing.assert_allclose(
        calibrate(both(logit(p)), came, "beta").apply(both(logit(p)))[:, 1],
        theirs.predict_proba(features)[:, 1],
        atol=1e-4,
    )


def test_temperature_by_hand():
    """Log-odds -1, -1, 1, 1 without an error: 4 log(1 + exp(-s)) + log(s)^2 / 2 of s = 1 / T is least at 4 s expit(-s) = log s."""
    s = 1 / calibrate(both(np.array([-1.0, -1, 1, 1])), [0, 0, 1, 1], "temperature").parameters["temperature"]
    assert 4 * s * expit(-s) == pytest.approx(np.log(s), abs=1e-3)
    assert s > 1


@pytest.mark.parametrize(("classes", "cases"), [(2, 400), (10, 200), (50, 1000)])
def test_temperature_leaves_right_probabilities_alone(classes, cases):
    """Logits that mean what they say, and are seldom wrong; T ought to be 1."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3 * cases, classes)) + 12 * (
        rng.integers(classes, size=3 * cases)[:, None] == np.arange(classes)
    )
    z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
    came = (np.exp(z).cumsum(axis=1) < rng.random((len(z), 1))).sum(axis=1)
    said = calibrate(z[:cases], came[:cases], "temperature").apply(z[cases:])
    losses = [-np.mean(np.log(p[np.arange(len(p)), came[cases:]])) for p in (said, np.exp(z[cases:]))]
    assert losses[0] < 1.15 * losses[1]


@pytest.mark.parametrize("method", ["temperature", "bias_corrected_temperature", "platt", "beta"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_validation_part_without_an_error_makes_nobody_certain(method, classes):
    """Fitted to outcomes of 0 and 1, the temperature fell to its bound and all that was ranked above became exactly 1."""
    rng = np.random.default_rng(0)
    came = np.repeat(np.arange(classes), 20)
    z = rng.uniform(0.3, 3, size=(len(came), 1)) * (came[:, None] == np.arange(classes))
    fitted = calibrate(z, came, method)
    said = fitted.apply(z)[np.arange(len(came)), came]
    assert len(np.unique(said)) == len(came)  # the ranking stays
    assert said.max() < 1
    assert -np.log(said).mean() < 0.2
    if method == "temperature":
        assert 0.1 < fitted.parameters["temperature"] < 1


@pytest.mark.parametrize("method", ["bias_corrected_temperature", "platt", "isotonic", "beta"])
@pytest.mark.parametrize("classes", [2, 3])
def test_each_undoes_a_distortion_and_survives_json(method, classes):
    z, came = world(cases=20_000, classes=classes)
    bent = 0.5 * z + np.linspace(0, 1, classes)
    fitted = calibrate(bent, came, method)
    again = Calibration(**json.loads(json.dumps(fitted.as_json())))
    said = again.apply(bent)
    assert (said == fitted.apply(bent)).all()
    np.testing.assert_allclose(said.sum(axis=1), 1)
    before = np.exp(bent) / np.exp(bent).sum(axis=1, keepdims=True)
    assert np.abs(said - np.exp(z)).mean() < 0.4 * np.abs(before - np.exp(z)).mean()


@pytest.mark.parametrize("method", list(calibrations))
def test_extreme_logits_stay_probabilities(method):
    z, came = world(cases=200)
    fitted = calibrate(z, came, method)
    said = fitted.apply([[-800.0, 800.0], [800.0, -800.0], [0.0, 0.0]])
    assert np.isfinite(said).all()
    assert ((said >= 0) & (said <= 1)).all()
    assert said[0, 1] >= said[2, 1] >= said[1, 1]
    if method == "isotonic":
        assert said[1, 1] >= 1 / 202


def test_mistakes_are_named():
    with pytest.raises(DataError, match="no case of class number 1"):
        calibrate([[0.0, 1.0]], [0])
    with pytest.raises(UsageError, match="no calibration named 'plat'; did you mean platt"):
        calibrate([[0.0, 1.0], [1.0, 0.0]], [0, 1], "plat")
    with pytest.raises(UsageError, match=r"expected \(N, K\) and \(N,\)"):
        calibrate([0.0, 1.0], [0, 1])


@pytest.mark.parametrize("method", ["temperature", "bias_corrected_temperature", "platt", "beta", "isotonic"])
def test_a_validation_part_of_other_shares_moves_no_probability(method):
    """The network is ideal at a tenth of sick cases; half of the validation part is sick."""
    rng = np.random.default_rng(0)
    came = (rng.random(40_000) < 0.5).astype(np.int64)
    s = 1.5 * (rng.normal(size=len(came)) + 1.5 * came) - 1.125 + logit(0.1)
    fitted = calibrate(both(s), came, method, prior=[0.9, 0.1])
    new = np.linspace(-5, 3, 50)
    away = [
        np.abs(each.apply(both(new))[:, 1] - expit(new)).mean() for each in (fitted, calibrate(both(s), came, method))
    ]
    assert away[0] < 0.03 < 0.1 < away[1]


@pytest.mark.parametrize("method", ["temperature", "bias_corrected_temperature", "platt", "beta", "isotonic"])
def test_weighting_to_the_shares_of_the_cases_changes_nothing(method):
    z, came = world(cases=500, classes=3)
    one, other = calibrate(z, came, method), calibrate(z, came, method, prior=np.bincount(came))
    np.testing.assert_allclose(one.apply(z), other.apply(z), atol=1e-6)


@pytest.mark.parametrize("prevalence", [0.05, 0.01, 0.002])
@pytest.mark.parametrize("method", ["bias_corrected_temperature", "platt"])
@pytest.mark.parametrize("slope", [0.6, 2.0])
def test_what_a_remedy_left_of_the_intercept_is_taken_out(prevalence, method, slope):
    """A network that learnt at equal shares errs by a slope; corrected for the prior it promises the rare class wrongly often."""
    rng = np.random.default_rng(0)
    shares = np.array([1 - prevalence, prevalence])
    ratios = []
    for _ in range(8):
        targets = (np.arange(round(20 / prevalence)) < 20).astype(np.int64)
        corrected = lambda came: slope * (2 * rng.normal(size=len(came)) + 4 * came - 2) + logit(prevalence)  # noqa: E731
        s, came = corrected(targets), np.repeat([0, 1], 20_000)
        weights, new = shares[came] / 20_000, both(corrected(came))
        told = {name: calibrate(both(s), targets, name, shares).apply(new) for name in (method, "temperature")}
        ratios.append([weights @ said[:, 1] / prevalence for said in told.values()])
    with_bias, without = np.mean(ratios, axis=0)
    assert with_bias == pytest.approx(1, abs=0.13)
    assert abs(np.log(without)) > 1.5 * abs(np.log(with_bias))


@pytest.mark.parametrize("classes", [2, 3])
def test_biases_give_every_class_the_share_it_has(classes):
    z, came = world(cases=500, classes=classes)
    bent = 1.7 * z + np.linspace(0, 2, classes)
    fitted = calibrate(bent, came)
    assert fitted.method == "bias_corrected_temperature"
    np.testing.assert_allclose(fitted.apply(bent).mean(axis=0), np.bincount(came) / len(came), atol=1e-5)
    assert sum(fitted.parameters["bias"]) == pytest.approx(0, abs=1e-9)
