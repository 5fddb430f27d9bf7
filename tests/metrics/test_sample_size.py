"""Expected precision against simulation of data whose truth is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score

from evenray.core.types import Predictions
from evenray.metrics import score
from evenray.metrics.sample_size import auroc_interval, detectable_difference, patients_for, share_interval


def test_the_difference_is_seen_in_four_of_five_simulated_studies() -> None:
    """Two readers of the same 60 sick and 90 healthy, whose AUROCs differ by what the formula says can be seen."""
    rng, sick, healthy = np.random.default_rng(0), 60, 90
    difference = detectable_difference(sick, healthy, auroc=0.8, correlation=0.5)
    better, worse = (np.sqrt(2) * norm.ppf(a) for a in (0.8 + difference / 2, 0.8 - difference / 2))
    targets = np.repeat([1, 0], [sick, healthy])
    drawn = []
    for _ in range(400):
        shared = rng.normal(0, 1, sick + healthy) * np.sqrt(0.55)
        first, second = (shared + rng.normal(0, np.sqrt(0.45), sick + healthy) for _ in range(2))
        drawn.append(
            roc_auc_score(targets, first + better * targets) - roc_auc_score(targets, second + worse * targets)
        )
    power = np.mean(np.abs(drawn) > 1.96 * np.std(drawn))
    assert power == pytest.approx(0.8, abs=0.08)


def test_more_cases_tell_smaller_differences() -> None:
    found = [detectable_difference(n, 3 * n) for n in (10, 40, 160, 640)]
    assert found == sorted(found, reverse=True)
    assert found[0] / found[2] == pytest.approx(4, rel=0.1)


def binormal(rng: np.random.Generator, sick: int, healthy: int, auroc: float) -> Predictions:
    """Patients of one image each, whose log-odds are two normal distributions apart by what the AUROC asks."""
    target = np.repeat([1, 0], [sick, healthy])
    z = rng.normal(0, 1, sick + healthy) + np.sqrt(2) * norm.ppf(auroc) * target
    p = 1 / (1 + np.exp(-z))
    names = [str(i) for i in range(len(target))]
    table = pl.DataFrame({"case": names, "patient": names, "target": target, "p_0": 1 - p, "p_1": p})
    return Predictions(table, ("healthy", "sick"), "sick")


def width(predictions: Predictions) -> float:
    found = score(predictions, threshold=0.5, resamples=200).estimates["auroc"]
    return float(found.high - found.low)


@pytest.mark.parametrize(("sick", "healthy", "auroc"), [(42, 114, 0.85), (30, 300, 0.8), (60, 60, 0.9)])
def test_the_interval_of_an_auroc_is_as_wide_as_expected(sick: int, healthy: int, auroc: float) -> None:
    rng = np.random.default_rng(1)
    low, high = auroc_interval(sick, healthy, auroc)
    found = [width(binormal(rng, sick, healthy, auroc)) for _ in range(40)]
    assert high - low == pytest.approx(float(np.mean(found)), rel=0.1)


def test_so_many_patients_give_the_width_that_was_asked_for() -> None:
    rng, sick, healthy = np.random.default_rng(2), 30, 90
    now = float(np.mean([width(binormal(rng, sick, healthy, 0.85)) for _ in range(40)]))
    needed = patients_for(now, sick + healthy, 0.1)
    there = [width(binormal(rng, needed // 4, needed - needed // 4, 0.85)) for _ in range(40)]
    assert float(np.mean(there)) == pytest.approx(0.1, rel=0.1)
    assert patients_for(0.05, 100, 0.1) == 100


@pytest.mark.parametrize(("patients", "found"), [(10, 9), (42, 38), (400, 200), (7, 7), (7, 0)])
def test_the_interval_of_a_share_is_wilsons(patients: int, found: int) -> None:
    expected = binomtest(found, patients).proportion_ci(method="wilson")
    assert share_interval(patients, found / patients) == pytest.approx((expected.low, expected.high), abs=1e-12)
