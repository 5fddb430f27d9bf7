"""Kappa against scikit-learn and Fleiss' own example; intervals by simulation; grades of ordered classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from evenray.core.errors import DataError
from evenray.core.types import Predictions
from evenray.metrics import cohen_kappa, decide, fleiss_kappa, grades

# Fleiss (1971) as it is usually shown: 10 subjects, 14 raters, 5 categories; kappa 0.210.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
@pytest.mark.parametrize("seed", range(3))
def test_cohens_kappa_is_that_of_scikit_learn(weights: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 4, 60)
    other = np.where(rng.random(60) < 0.6, one, rng.integers(0, 4, 60))
    expected = cohen_kappa_score(one, other, weights=None if weights == "none" else weights)
    assert cohen_kappa(one, other, weights=weights, resamples=0).value == pytest.approx(expected)  # type: ignore[arg-type]


def test_fleiss_kappa_is_that_of_the_published_example() -> None:
    readings = np.array([np.repeat(range(5), row) for row in FLEISS])
    assert fleiss_kappa(readings, resamples=0).value == pytest.approx(0.20993, abs=1e-5)


def test_readings_that_are_missing_are_left_out() -> None:
    one, other = np.array([0, 1, 1, -1, 0, 1]), np.array([0, 1, 0, 1, -1, 1])
    both = [0, 1, 2, 5]
    assert cohen_kappa(one, other, resamples=0).value == pytest.approx(cohen_kappa_score(one[both], other[both]))
    three = np.array([[0, 0, -1], [1, -1, 1], [1, 1, 0], [0, -1, -1]])
    assert fleiss_kappa(three, resamples=0).value == pytest.approx(fleiss_kappa(three[:3], resamples=0).value)
    with pytest.raises(DataError, match="No case"):
        cohen_kappa([0, -1], [-1, 1])
    with pytest.raises(DataError, match="No case"):
        fleiss_kappa(np.array([[0, -1], [-1, 1]]))


@pytest.mark.parametrize("measure", ["cohen", "fleiss"])
def test_the_interval_covers_the_agreement_of_the_population(measure: str) -> None:
    # Two readers who each name the truth with probability 0.8 and guess among three otherwise: kappa is 0.64.
    rng, covered = np.random.default_rng(5), 0
    for seed in range(150):
        truth = rng.integers(0, 3, 120)
        readings = [np.where(rng.random(120) < 0.8, truth, rng.integers(0, 3, 120)) for _ in range(2)]
        found = (
            cohen_kappa(*readings, seed=seed, resamples=200)
            if measure == "cohen"
            else fleiss_kappa(np.column_stack(readings), seed=seed, resamples=200)
        )
        covered += found.low <= 0.64 <= found.high
    assert 0.88 <= covered / 150 <= 0.99  # 0.95 less what 200 resamples and 150 draws leave to chance


def test_images_of_one_patient_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    one = rng.integers(0, 2, 40)
    other = np.where(rng.random(40) < 0.7, one, 1 - one)
    alone = cohen_kappa(one, other)
    copied = cohen_kappa(np.repeat(one, 5), np.repeat(other, 5))
    clustered = cohen_kappa(np.repeat(one, 5), np.repeat(other, 5), patients=np.repeat(np.arange(40), 5))
    assert copied.high - copied.low < 0.6 * (alone.high - alone.low)
    assert clustered.high - clustered.low == pytest.approx(alone.high - alone.low, rel=0.15)


def test_grades_are_those_of_scikit_learn_with_a_baseline(make_predictions: Callable[..., Predictions]) -> None:
    predictions = make_predictions(cases=200, classes=4, seed=3, patients=80, strength=2.0)
    called, targets = decide(predictions, None), predictions.targets
    found = grades(predictions, resamples=300)
    assert found["weighted_kappa"].value == pytest.approx(cohen_kappa_score(targets, called, weights="quadratic"))
    assert found["grade_error"].value == pytest.approx(np.abs(called - targets).mean())
    most = np.bincount(targets).argmax()
    assert found["weighted_kappa"].baseline == pytest.approx(0.0)
    assert found["grade_error"].baseline == pytest.approx(np.abs(targets - most).mean())
    for estimate in found.values():
        assert estimate.low < estimate.value < estimate.high
