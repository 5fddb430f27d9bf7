"""Intervals of few patients with several images each: how often they hold the truth in simulated samples, and where there are none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from evenray.metrics.clustered import FEWEST, freedom_of_mean, joined, ratio_mean, ratio_share, widened
from evenray.metrics.intervals import multiplicities, replicates

PATIENTS = [4, 6, 10, 40]
TRUTH = 0.8
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def samples(patients: int, count: int) -> Iterator[tuple[np.random.Generator, Ints]]:
    """Patients of two to five images, whose numbers say nothing of their figures."""
    rng = np.random.default_rng(patients)
    for _ in range(count):
        yield rng, np.repeat(np.arange(patients), rng.integers(2, 6, patients))


@pytest.mark.parametrize("patients", PATIENTS)
def test_the_mean_of_many_patients_lies_in_the_intervals_of_few(patients: int) -> None:
    held, runs = 0, 1000
    for rng, own in samples(patients, runs):
        dice = rng.normal(rng.normal(TRUTH, 0.1, patients)[own], 0.05)
        low, high = ratio_mean(dice, np.ones(len(own)), own)
        held += low <= TRUTH <= high
    assert 0.925 <= held / runs <= 0.975


@pytest.mark.parametrize("patients", PATIENTS)
@pytest.mark.parametrize("pixels", [False, True])
def test_the_share_of_many_patients_lies_in_the_intervals_of_few(patients: int, pixels: bool) -> None:
    """Of images, and of pixels of regions of many sizes; a patient's own share is drawn, from a skewed distribution."""
    held, runs = 0, 1000
    for rng, own in samples(patients, runs):
        share = rng.beta(4, 1, patients)[own]
        cases = rng.integers(50, 500, len(own)) if pixels else np.ones(len(own), int)
        low, high = ratio_share(rng.binomial(cases, share).astype(float), cases.astype(float), own)
        held += low <= TRUTH <= high
    assert 0.9 <= held / runs <= 1


@pytest.mark.parametrize("patients", PATIENTS[1:])
def test_widened_percentiles_hold_what_plain_ones_do_not(patients: int) -> None:
    """Of a median of the images, which has no formula."""
    held, plain, runs = 0, 0, 200
    for rng, own in samples(patients, runs):
        values = rng.normal(rng.normal(0, 1, patients)[own], 0.3)
        order = np.argsort(values)

        def median(W: Floats, values: Floats = values, order: Ints = order) -> dict[str, Floats]:
            upto = np.cumsum(W[:, order], axis=1)
            return {"median": values[order][(upto < upto[:, -1:] / 2).sum(axis=1)]}

        value = float(median(np.ones((1, len(own))))["median"][0])
        spread = replicates(median, own, 300, 0)["median"]
        low, high = widened(value, spread, patients)
        held += low <= 0 <= high
        plain += np.quantile(spread, 0.025) <= 0 <= np.quantile(spread, 0.975)
    assert 0.91 <= held / runs <= 0.995
    assert held >= plain


def test_resamples_vary_as_means_of_so_many_patients_do() -> None:
    values = np.array([0.1, 0.4, 0.5, 0.9])
    drawn = np.concatenate([W @ values / W.sum(axis=1) for W in multiplicities(np.arange(4), 20_000, 0)])
    assert drawn.std() == pytest.approx(values.std(ddof=1) / 2, rel=0.02)


def test_of_one_image_a_patient_they_are_students_and_wilsons() -> None:
    values, alone = np.random.default_rng(0).normal(3, 1, 7), np.arange(7)
    expected = stats.t.interval(0.95, 6, values.mean(), stats.sem(values))
    assert ratio_mean(values, np.ones(7), alone) == pytest.approx(expected)
    came = np.array([1.0, 1, 1, 0, 1, 0, 1])
    assert ratio_share(came, np.ones(7), alone) == pytest.approx(
        tuple(stats.binomtest(5, 7).proportion_ci(method="wilson"))
    )


def test_all_or_none_of_few_patients_is_not_sure() -> None:
    own = np.array([0, 0, 1, 1, 2])
    low, high = ratio_share(np.full(5, 30.0), np.full(5, 30.0), own)
    assert (low, high) == pytest.approx(tuple(stats.binomtest(3, 3).proportion_ci(method="wilson")), abs=1e-9)
    assert ratio_share(np.zeros(5), np.full(5, 30.0), own)[1] == pytest.approx(1 - low)


def test_no_interval_is_made_up() -> None:
    one, apart = np.zeros(3, int), np.arange(3)
    assert np.isnan(ratio_mean(np.array([0.1, 0.5, 0.9]), np.ones(3), one)).all()
    assert np.isnan(ratio_mean(np.ones(3), np.ones(3), apart)).all()
    assert np.isnan(ratio_mean(np.zeros(3), np.zeros(3), apart)).all()
    assert np.isnan(ratio_share(np.zeros(3), np.zeros(3), apart)).all()
    spread = np.linspace(0.2, 0.6, 100)
    assert np.isnan(widened(0.4, spread, FEWEST - 1)).all()
    assert np.isnan(widened(0.4, np.full(100, 0.4), 40)).all()
    assert widened(0.4, spread, FEWEST)[0] < 0.2


@pytest.mark.parametrize("together", [0.0, 0.9])
def test_a_mean_over_classes_is_as_sure_as_its_classes_together(together: float) -> None:
    """Against Student's interval of each patient's own mean over the classes, of classes that err together or not."""
    rng, P = np.random.default_rng(1), 30
    values = rng.multivariate_normal(np.zeros(3), np.full((3, 3), together) + (1 - together) * np.eye(3), P).T
    spread = replicates(lambda W: {str(k): W @ own / W.sum(1) for k, own in enumerate(values)}, np.arange(P), 4000, 0)
    bounds = np.array([ratio_mean(own, np.ones(P), np.arange(P)) for own in values])
    found = joined(values.mean(axis=1), bounds, np.array(list(spread.values())))
    assert found == pytest.approx(ratio_mean(values.mean(axis=0), np.ones(P), np.arange(P)), abs=0.02)
    bounds[1] = np.nan
    assert np.isnan(joined(values.mean(axis=1), bounds, np.array(list(spread.values())))).all()


def test_the_freedom_of_a_mean_is_that_of_the_class_that_varies_most() -> None:
    rng = np.random.default_rng(0)
    rare, frequent = rng.normal(0, 1, 4000), rng.normal(0, 0.01, 4000)
    assert freedom_of_mean([rare, frequent], [1, 39]) == pytest.approx(1, abs=0.01)
    assert freedom_of_mean([frequent, rare], [1, 39]) == pytest.approx(39, abs=0.1)
    assert freedom_of_mean([rare, frequent], [0, 39]) == 0
