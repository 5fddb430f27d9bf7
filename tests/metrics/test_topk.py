"""Top-k error against scikit-learn, and its interval and baseline against counting by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import top_k_accuracy_score

from evenray.core.errors import UsageError
from evenray.core.types import Predictions
from evenray.metrics import score, top_error


def made(cases: int, classes: int, seed: int = 0, patients: int | None = None) -> Predictions:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), cases)
    targets = np.where(rng.random(cases) < 0.3, rng.integers(0, classes, cases), p.argmax(1))
    names = [str(i % (patients or cases)) for i in range(cases)]
    columns = {f"p_{k}": p[:, k] for k in range(classes)}
    table = pl.DataFrame({"target": targets, "patient": names, **columns})
    return Predictions(table, tuple("abcdefghij"[:classes]), "a")


@pytest.mark.parametrize("k", [1, 2, 5])
def test_it_is_what_scikit_learn_counts(k: int) -> None:
    said = made(300, 8)
    found = top_error(said, k, resamples=0)
    expected = 1 - top_k_accuracy_score(said.targets, said.probabilities, k=k, labels=range(8))
    assert found.value == pytest.approx(expected)


def test_top_1_is_what_accuracy_leaves_with_the_same_interval() -> None:
    said = made(200, 4, patients=50)
    found, accuracy = top_error(said, 1, seed=3), score(said, seed=3).estimates["accuracy"]
    expected = (1 - accuracy.value, 1 - accuracy.high, 1 - accuracy.low, 1 - accuracy.baseline)
    assert (found.value, found.low, found.high, found.baseline) == pytest.approx(expected, abs=1e-6)


def test_patients_with_many_cases_widen_the_interval() -> None:
    one, many = made(400, 6), made(400, 6)
    right = many.probabilities.argmax(1) == many.targets
    clustered = many.table.with_columns(
        patient=pl.Series(np.where(right, "r", "w")) + (pl.int_range(400) % 5).cast(str)
    )
    widths = [e.high - e.low for e in (top_error(one), top_error(Predictions(clustered, many.classes, "a")))]
    assert widths[1] > 2 * widths[0]


def test_the_baseline_names_the_most_frequent_classes() -> None:
    said = made(100, 3)
    counts = np.bincount(said.targets, minlength=3)
    assert top_error(said, 2, resamples=0).baseline == pytest.approx(counts.min() / 100)
    prior = np.array([0.1, 0.2, 0.7])
    assert top_error(said, 1, resamples=0, prior=prior).baseline == pytest.approx(1 - counts[2] / 100)


def test_no_error_at_all_has_the_exact_bound() -> None:
    p = np.eye(3)[[0, 1, 2, 0]]
    table = pl.DataFrame({"target": [0, 1, 2, 0], "patient": list("wxyz"), **{f"p_{k}": p[:, k] for k in range(3)}})
    found = top_error(Predictions(table, ("a", "b", "c"), "a"))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 4))


@pytest.mark.parametrize("k", [0, 3])
def test_a_k_that_says_nothing_is_refused(k: int) -> None:
    with pytest.raises(UsageError, match="give 1 to 2"):
        top_error(made(10, 3), k)
