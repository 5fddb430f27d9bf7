"""Abstention against sums done one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evenray.core.types import Predictions
from evenray.metrics import decide
from evenray.metrics.abstention import abstention, certainty

Make = Callable[..., Predictions]


@pytest.mark.parametrize(("classes", "threshold"), [(2, None), (2, 0.2), (4, None)])
def test_the_curve_is_the_accuracy_of_the_surest(make_predictions: Make, classes: int, threshold: float | None) -> None:
    told = make_predictions(200, classes, seed=3)
    right = decide(told, threshold) == told.targets
    order = np.argsort(-certainty(told, threshold), kind="stable")
    found = abstention(told, threshold, resamples=50)
    for share, accuracy in zip(found.shares, found.accuracy, strict=True):
        assert accuracy == pytest.approx(right[order[: round(share * 200)]].mean())
    by_step = np.cumsum(right[order]) / np.arange(1, 201)
    assert found.area.value == pytest.approx(by_step.mean(), abs=0.005)
    assert found.area.baseline == pytest.approx(right.mean())
    for k in range(classes):
        own = (told.targets == k)[order]
        assert found.answered[k][9] == pytest.approx(own[:100].mean() * 100 / own.sum())


def test_the_call_nearest_to_the_threshold_is_the_least_certain(binary: Callable[..., Predictions]) -> None:
    told = binary([0.01, 0.04, 0.06, 0.5, 0.9], [0, 0, 1, 1, 1])
    assert np.argsort(certainty(told, 0.05)).tolist() == [2, 1, 0, 3, 4]


def test_ties_are_answered_together(binary: Callable[..., Predictions]) -> None:
    """Two equal cases, one right: half of them is half right, whatever their order."""
    forwards, backwards = binary([0.9, 0.9, 0.4], [1, 0, 0]), binary([0.9, 0.9, 0.4], [0, 1, 0])
    one, other = (abstention(each, resamples=20) for each in (forwards, backwards))
    np.testing.assert_allclose(one.accuracy, other.accuracy)
    assert one.accuracy[0] == pytest.approx(0.5)
    assert one.area.value == other.area.value


def test_certainty_that_means_nothing_gains_nothing(binary: Callable[..., Predictions]) -> None:
    """Where being right does not depend on certainty, the area is the accuracy; its interval says so nineteen times in twenty."""
    held, rng = 0, np.random.default_rng(0)
    for _ in range(60):
        p = rng.random(150)
        sick = np.where(rng.random(150) < 0.8, p >= 0.5, p < 0.5)
        area = abstention(binary(p.tolist(), sick.astype(int).tolist()), resamples=200).area
        held += area.low <= 0.8 <= area.high
    assert held >= 52


def test_all_right_has_no_interval_of_the_area(binary: Callable[..., Predictions]) -> None:
    found = abstention(binary([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0]), resamples=50)
    assert found.area.value == 1
    assert np.isnan(found.area.low)
    assert (found.low < 1).all()
