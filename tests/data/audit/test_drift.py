"""The permutation test: it holds its level, follows patients, and is not moved by class counts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from evenray.data.audit.drift import cumulative_histograms, histogram_distance


def cumulative(means: NDArray[np.float64], seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    value_range = np.clip(rng.normal(means[:, None], 8, (len(means), 300)), 0, 255).astype(int)
    return cumulative_histograms(np.array([np.bincount(row, minlength=256) for row in value_range], np.uint32))


def sides(test: NDArray[np.bool_]) -> tuple[pl.Series, pl.Series]:
    return pl.Series(test), pl.Series(["a"] * len(test))


def test_the_distance_is_that_of_wasserstein() -> None:
    test = np.arange(200) % 2 == 0
    lines = cumulative(np.where(test, 120.0, 100.0))
    distance, p = histogram_distance(lines, *sides(test), np.arange(200))
    masses = [np.diff(lines[side].mean(axis=0), prepend=0) for side in (test, ~test)]
    assert distance == pytest.approx(wasserstein_distance(range(64), range(64), *masses) / 64, rel=1e-3)
    assert distance == pytest.approx(20 / 256, rel=0.05)
    assert p == pytest.approx(0.001)


def test_chance_is_called_drift_as_often_as_it_should() -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        lines = cumulative(rng.normal(110, 15, 80), seed)
        found.append(histogram_distance(lines, *sides(rng.random(80) < 0.4), np.arange(80), seed)[1])
    assert np.mean(np.array(found) <= 0.1) == pytest.approx(0.1, abs=0.1)
    assert np.mean(found) == pytest.approx(0.5, abs=0.12)


def test_images_of_one_patient_go_together() -> None:
    """Six patients a side with forty like images each: by images a clear difference, by patients chance."""
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(12), 40)
    lines = cumulative(rng.normal(110, 20, 12)[patients])
    test = patients % 2 == 0
    assert histogram_distance(lines, *sides(test), np.arange(480))[1] < 0.01
    assert histogram_distance(lines, *sides(test), patients)[1] > 0.05


def test_other_class_counts_alone_are_no_drift() -> None:
    rng = np.random.default_rng(4)
    sick, test = rng.random(400) < 0.3, np.arange(400) >= 200
    sick[test] = rng.random(200) < 0.8
    lines = cumulative(np.where(sick, 130.0, 100.0) + rng.normal(0, 5, 400))
    labels = pl.Series(np.where(sick, "sick", "healthy"))
    distance, p = histogram_distance(lines, pl.Series(test), labels, np.arange(400))
    assert distance < 0.015
    assert p > 0.01
