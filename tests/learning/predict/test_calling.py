"""Masks are called as the pixels were counted when the threshold was chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.learning.balance import Balance
from evenray.learning.predict.calling import Calling, as_counted
from evenray.learning.tasks.question import Question
from evenray.metrics import Calibration
from evenray.metrics.pixel_bins import BINS, CENTRES, STEP, best_threshold, bins_of, rebinned

ASKED = Question("lesion", ("absent", "present"), "present", Balance(), np.array([0.97, 0.03]))


def counted(log_odds_N: Any, true_N: Any) -> Any:
    """As the network's outputs are: (1 image, absent and present, BINS)."""
    found = np.zeros((1, 2, BINS), np.int64)
    np.add.at(found, (0, true_N.astype(int), bins_of(log_odds_N)), 1)
    return found


def chosen(counts: Any, fitted: Calibration) -> float:
    """The threshold best for Dice on the counts of calibrated bins."""
    pairs = np.column_stack([np.zeros(BINS), CENTRES])
    p = ASKED.probabilities(pairs, fitted)[:, 1].clip(1e-12, 1 - 1e-12)
    return best_threshold(rebinned(counts, np.log(p / (1 - p))))


def dice(called_N: Any, true_N: Any) -> float:
    return float(2 * (called_N & true_N).sum() / (called_N.sum() + true_N.sum()))


@given(st.floats(0.4, 3.0), st.floats(-2.0, 2.0), st.floats(-4.0, 2.0), st.floats(0.3, 2.0), st.integers(0, 10**6))
def test_a_lesion_whose_pixels_have_one_log_odds_is_found(
    temperature: float, bias: float, place: float, spread: float, seed: int
) -> None:
    """A network whose last layer is silent in lesions gives all of their pixels the same; the rest lie below, some beside it."""
    rng = np.random.default_rng(seed)
    log_odds = np.concatenate([np.full(400, place), place - 0.3 - rng.exponential(spread, 9600)])
    true = np.arange(10_000) < 390
    fitted = Calibration("bias_corrected_temperature", {"temperature": temperature, "bias": [-bias / 2, bias / 2]})
    cut = as_counted([ASKED], [fitted], [chosen(counted(log_odds, true), fitted)])
    called = Calling.of([ASKED], [fitted], cut).called(log_odds[:, None, None])[:, 0] == 1
    assert dice(called, true) > 0.8


@given(st.floats(0.25, 3.0), st.floats(-2.0, 2.0), st.integers(0, 10**6))
def test_pixels_are_called_as_they_were_counted(temperature: float, bias: float, seed: int) -> None:
    """What is called of a picture is what the counts have from some bin on, whatever the calibration makes of bins."""
    rng = np.random.default_rng(seed)
    log_odds, true = rng.normal(-2, 2, 4000), rng.random(4000) < 0.2
    log_odds[true] += 2
    kept = (log_odds / STEP) % 1 < 0.99  # beside the border of two bins either is right
    log_odds, true = log_odds[kept], true[kept]
    fitted = Calibration("bias_corrected_temperature", {"temperature": temperature, "bias": [-bias / 2, bias / 2]})
    (cut,) = as_counted([ASKED], [fitted], [chosen(counted(log_odds, true), fitted)])
    called = Calling.of([ASKED], [fitted], [cut]).called(log_odds[:, None, None])[:, 0] == 1
    bins = bins_of(log_odds)
    assert bins[called].min() > bins[~called].max()


@pytest.mark.parametrize("cut", [0.0, 1.0])
def test_a_threshold_that_calls_all_or_nothing_stays(cut: float) -> None:
    assert as_counted([ASKED], [None], [cut]) == [cut]


def test_pixels_beyond_the_last_bin_are_called_as_those_in_it() -> None:
    """Of a calibration that leaves all bins below a threshold no pixel is called, however far it lies."""
    fitted = Calibration("bias_corrected_temperature", {"temperature": 10.0, "bias": [1.0, -1.0]})
    cut = as_counted([ASKED], [fitted], [0.5])
    assert not Calling.of([ASKED], [fitted], cut).called(np.array([[[12.0], [39.0]]])).any()
    steeper = Calibration("bias_corrected_temperature", {"temperature": 2.0, "bias": [1.0, -1.0]})
    assert Calling.of([ASKED], [steeper], [0.5]).called(np.array([[[12.0], [39.0]]])).all()
