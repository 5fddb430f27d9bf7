"""Conformal sets: equal to a kept library's, and their promise kept on simulated patients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from evenray.core.types import Predictions
from evenray.metrics import score
from evenray.metrics.conformal import (
    covered,
    expected_coverage,
    held_out_sets,
    least_probabilities,
    patients_needed,
    prediction_sets,
)

Make = Callable[..., Predictions]


def sets_of(calibration: Predictions, test: Predictions, coverage: float, *, ordered: bool = False) -> np.ndarray:
    least = least_probabilities(calibration, coverage)
    assert None not in least
    return prediction_sets(test.probabilities, [each for each in least if each is not None], ordered=ordered)


@pytest.mark.filterwarnings("ignore:WARNING. your conformalization dataset has less labels")
@pytest.mark.parametrize(("classes", "coverage"), [(2, 0.9), (2, 0.8), (4, 0.9)])
def test_the_sets_are_those_of_mapie_class_by_class(make_predictions: Make, classes: int, coverage: float) -> None:
    mapie = pytest.importorskip("mapie.classification")
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Told(ClassifierMixin, BaseEstimator):
        """A classifier whose probabilities are its inputs."""

        classes_ = np.arange(classes)
        is_fitted_ = True

        def fit(self, X: np.ndarray, y: np.ndarray) -> Told:
            return self

        def predict(self, X: np.ndarray) -> np.ndarray:
            return X.argmax(axis=1)

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return X

    calibration = make_predictions(400, classes, seed=1, prevalence=0.2)
    test = make_predictions(300, classes, seed=2, prevalence=0.2)
    ours = sets_of(calibration, test, coverage)
    for k in range(classes):  # Mondrian: the library's own sets, calibrated on the cases of one class alone
        own = calibration.targets == k
        theirs = mapie.SplitConformalClassifier(Told(), confidence_level=coverage, conformity_score="lac", prefit=True)
        theirs.conformalize(calibration.probabilities[own], calibration.targets[own])
        _, sets = theirs.predict_set(test.probabilities)
        np.testing.assert_array_equal(ours[:, k], sets[:, k, 0])


def test_on_twenty_simulated_sets_the_coverage_lies_where_the_promise_puts_it(make_predictions: Make) -> None:
    outside, values = 0, []
    for seed in range(20):
        calibration = make_predictions(250, seed=2 * seed, prevalence=0.25)
        test = make_predictions(400, seed=2 * seed + 1, prevalence=0.25)
        sets = sets_of(calibration, test, 0.9)
        for k in range(2):
            found = covered(sets, test.targets, test.patients, k)
            assert found.low <= found.value <= found.high
            low, high = expected_coverage(0.9, int((calibration.targets == k).sum()), found.patients)
            outside += not low - 1e-9 <= found.value <= high + 1e-9
            values.append(found.value)
    assert outside <= 5  # of 40, two are to be expected; more than five come once in a hundred
    assert np.mean(values) == pytest.approx(0.91, abs=0.015)


def test_the_interval_of_the_coverage_holds_that_of_endless_test_patients(make_predictions: Make) -> None:
    calibration, endless = make_predictions(200, seed=1), make_predictions(100_000, seed=2)
    truth = covered(sets_of(calibration, endless, 0.9), endless.targets, endless.patients, 1).value
    held = 0
    for seed in range(100):
        test = make_predictions(150, seed=10 + seed)
        found = covered(sets_of(calibration, test, 0.9), test.targets, test.patients, 1)
        held += found.low <= truth <= found.high
    assert held >= 90


def clustered(rng: np.random.Generator, patients: int) -> Predictions:
    """Patients of one to eight images, which are alike; who has many is harder."""
    images = rng.integers(1, 9, patients)
    patient = np.repeat(np.arange(patients), images)
    sick = (rng.random(patients) < 0.4)[patient]
    ease = rng.normal(1.2 - 0.15 * images, 1.0)[patient]
    p = expit(np.where(sick, 1, -1) * (ease + rng.normal(0, 0.3, len(patient))))
    table = {"patient": [f"p{i}" for i in patient], "target": sick.astype(int), "p_0": 1 - p, "p_1": p}
    return Predictions(pl.DataFrame(table), ("well", "sick"), "sick")


def test_patients_of_many_images_count_as_one() -> None:
    rng, by_patient = np.random.default_rng(0), []
    for _ in range(150):
        calibration, test = clustered(rng, 60), clustered(rng, 200)
        found = covered(sets_of(calibration, test, 0.9), test.targets, test.patients, 1)
        by_patient.append(found.value)
    assert np.mean(by_patient) > 0.9 - 3 * np.std(by_patient) / math.sqrt(len(by_patient))
    assert np.mean(by_patient) < 0.94


def test_too_few_patients_of_a_class_have_no_threshold(make_predictions: Make) -> None:
    whole = make_predictions(300, seed=3, prevalence=0.3)
    positive = np.flatnonzero(whole.targets == 1)
    for coverage in (0.8, 0.9, 0.95):
        for n, known in ((patients_needed(coverage) - 1, False), (patients_needed(coverage), True)):
            kept = np.sort(np.concatenate([np.flatnonzero(whole.targets == 0), positive[:n]]))
            few = replace(whole, table=whole.table[kept])
            least = least_probabilities(few, coverage)
            assert (least[1] is not None) is known
            assert least[0] is not None


def test_images_of_one_patient_do_not_stand_for_several(binary: Callable[..., Predictions]) -> None:
    p = [0.6, 0.7, 0.8] * 4 + [0.1] * 12
    images = binary(p, [1] * 12 + [0] * 12, [0, 0, 0] * 4 + list(range(1, 13)))
    assert least_probabilities(images, 0.8)[1] is None


def test_two_classes_ignore_any_rising_calibration(make_predictions: Make) -> None:
    calibration, test = make_predictions(200, seed=5), make_predictions(200, seed=6)

    def bent(predictions: Predictions) -> Predictions:
        p = expit(0.4 * (predictions.logits[:, 1] - predictions.logits[:, 0]) - 1)
        return replace(predictions, table=predictions.table.with_columns(p_0=pl.Series(1 - p), p_1=pl.Series(p)))

    np.testing.assert_array_equal(sets_of(calibration, test, 0.9), sets_of(bent(calibration), bent(test), 0.9))


def test_sets_of_grades_have_no_gaps(make_predictions: Make) -> None:
    calibration, test = (
        make_predictions(500, 5, seed=7, prevalence=0.2),
        make_predictions(400, 5, seed=8, prevalence=0.2),
    )
    plain, filled = sets_of(calibration, test, 0.9), sets_of(calibration, test, 0.9, ordered=True)
    assert (filled >= plain).all()
    assert (filled != plain).any()
    assert (np.abs(np.diff(np.pad(filled, ((0, 0), (1, 1))).astype(int), axis=1)).sum(axis=1) <= 2).all()


def test_of_a_cross_validation_each_fold_goes_by_the_others(make_predictions: Make) -> None:
    values = []
    for seed in range(60):
        made = make_predictions(120, seed=seed, prevalence=0.4)
        fold = np.arange(120) % 5
        crossed = replace(made, table=made.table.with_columns(fold=pl.Series(fold), repeat=pl.lit(1)))
        sets = held_out_sets(crossed, 0.9)
        assert sets is not None
        other = replace(made, table=made.table.filter(pl.Series(fold != 2)))
        np.testing.assert_array_equal(
            sets[fold == 2], sets_of(other, replace(made, table=made.table.filter(pl.Series(fold == 2))), 0.9)
        )
        values.append(covered(sets, made.targets, made.patients, 1).value)
    assert 0.89 < np.mean(values) < 0.95
    few = replace(crossed, table=crossed.table.filter((pl.col("target") == 0) | (pl.int_range(pl.len()) < 15)))
    assert held_out_sets(few, 0.9) is None


def test_an_epoch_chosen_on_the_same_patients_costs_some_coverage_and_no_more() -> None:
    """The best of ten networks that differ by chance alone, chosen by the AUROC on the calibration patients: .886 for .9."""
    rng, found = np.random.default_rng(1), []

    def told(target: np.ndarray, common: np.ndarray) -> Predictions:
        p = expit(1.5 * (2 * target - 1) + 0.8 * common + 0.6 * rng.normal(size=len(target)))
        table = {"patient": [None] * len(target), "target": target, "p_0": 1 - p, "p_1": p}
        return Predictions(pl.DataFrame(table, schema_overrides={"patient": pl.String}), ("well", "sick"), "sick")

    for _ in range(60):
        target, test_target = np.repeat([0, 1], [60, 25]), np.repeat([0, 1], [200, 200])
        common, test_common = rng.normal(size=85), rng.normal(size=400)
        epochs = [told(target, common) for _ in range(10)]
        best = max(epochs, key=lambda each: score(each, resamples=0).auroc.value)
        test = told(test_target, test_common)
        found.append(covered(sets_of(best, test, 0.9), test.targets, test.patients, 1).value)
    assert 0.86 < np.mean(found) < 0.91
