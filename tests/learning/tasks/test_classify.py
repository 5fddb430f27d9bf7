"""Predictions: logits to probabilities at the true prevalence, in the order of the data."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import softmax

from evenray.core.errors import UsageError
from evenray.core.forms import numbers_by_class
from evenray.core.types import Dataset, Predictions
from evenray.learning.balance import Balance, make
from evenray.learning.tasks.classify import Classify
from evenray.learning.tasks.question import Question
from evenray.learning.tasks.shares import target_prior

CLASSES = ("odd", "sick", "well")


def dataset(n: int = 6) -> Dataset:
    cases = pl.DataFrame({
        "case": [f"c{i}" for i in range(n)], "patient": ["p", None] * (n // 2), "part": ["test"] * n,
        "label": [CLASSES[i % 3] for i in range(n)], "site": ["north", None] * (n // 2), "sex": ["F"] * n, "rows": [3] * n,
    })  # fmt: skip
    return Dataset(cases, CLASSES, "sick", ".")


LOGITS = np.random.default_rng(0).normal(size=(6, 3))
PRIOR = np.array([0.1, 0.2, 0.7])


def predicted(data: Dataset, logits: np.ndarray, remedy: Balance, prior: np.ndarray) -> Predictions:
    p = Question("", data.classes, data.positive, remedy, prior).probabilities(logits)
    return Classify().predictions(data, logits, p)


def test_without_a_remedy_a_softmax() -> None:
    found = predicted(dataset(), LOGITS, Balance(), PRIOR)
    np.testing.assert_allclose(found.probabilities, softmax(LOGITS, axis=1))
    np.testing.assert_array_equal(found.logits, LOGITS)
    assert found.targets.tolist() == [0, 1, 2, 0, 1, 2]
    assert found.table.columns == [
        "case", "patient", "part", "label", "target", "logit_0", "logit_1", "logit_2", "p_0", "p_1", "p_2", "site", "sex",
    ]  # fmt: skip
    assert (found.classes, found.positive) == (CLASSES, "sick")


def test_what_the_remedy_did_to_the_prior_is_undone() -> None:
    found = predicted(dataset(), LOGITS, Balance(prior=np.full(3, 1 / 3)), PRIOR)
    odds = softmax(LOGITS, axis=1) * PRIOR
    np.testing.assert_allclose(found.probabilities, odds / odds.sum(1, keepdims=True))


@pytest.mark.parametrize("spec", ["weighted", "oversample", "undersample"])
def test_a_network_that_knows_nothing_forecasts_the_prevalence(spec: str) -> None:
    counts = np.array([100, 200, 700])
    found = predicted(dataset(), np.zeros((6, 3)), make(spec, counts, CLASSES), counts / counts.sum())
    np.testing.assert_allclose(found.probabilities, np.tile(PRIOR, (6, 1)), atol=1e-9)


@pytest.mark.parametrize("count", [3, 6, 7, 11, 12, 60, 99, 200, 999, 1000])
def test_the_shares_that_the_error_proposes_are_accepted(count: int) -> None:
    classes = [f"class {k}" for k in range(count)]
    with pytest.raises(UsageError, match=rf"there are {count} classes; give a share for each") as error:
        target_prior(0.01, classes, classes[0])
    proposed = str(error.value).partition("as in ")[2].removesuffix(".")
    found = target_prior(numbers_by_class("prevalence", proposed), classes, classes[0])
    assert found is not None
    assert found.sum() == pytest.approx(1)
    assert found == pytest.approx(1 / count, rel=0.1)
