"""The interval of a mean over patients: its coverage in simulated samples, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from evenray.metrics.intervals import clustered_mean


@pytest.mark.parametrize("patients", [3, 16])
def test_the_truth_lies_in_95_of_100_intervals(patients: int) -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        images = rng.integers(1, 4, patients)
        own = np.repeat(rng.normal(0.3, 1.0, patients), images) + rng.normal(0, 0.5, images.sum())
        _, low, high = clustered_mean(own, np.repeat(np.arange(patients), images))
        hits += low <= 0.3 <= high
    assert 930 <= hits <= 970


def test_no_interval_is_made_up() -> None:
    assert np.isnan(clustered_mean([0.1, 0.9], ["a", "a"])[1:]).all()
    assert np.isnan(clustered_mean([0.0, 0.0, 0.0], ["a", "b", "c"])[1:]).all()
    assert np.isnan(clustered_mean([np.nan], ["a"])).all()
    assert clustered_mean([0.2, np.nan, 0.4], ["a", "b", "c"])[0] == pytest.approx(0.3)
