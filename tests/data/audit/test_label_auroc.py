"""How well features tell the label: against scikit-learn, by patient, and by the interval's coverage of chance."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from evenray.core.types import Dataset
from evenray.data.audit._label_auroc import label_auroc


def dataset(labels: NDArray[np.str_], patients: NDArray[np.int64] | None = None) -> Dataset:
    who = np.arange(len(labels)) if patients is None else patients
    table = pl.DataFrame(
        {"case": [f"{i:05d}" for i in range(len(labels))], "label": labels, "patient": who.astype(str)}
    )
    return Dataset(table, tuple(sorted(set(labels.tolist()))), str(max(labels)), "d")


def test_one_feature_ranks_as_it_is() -> None:
    rng = np.random.default_rng(0)
    sick = np.arange(500) % 2
    feature = rng.normal(0, 1, 500) + 1.2 * sick
    told = label_auroc(dataset(np.where(sick, "sick", "healthy")), feature[:, None])
    assert told is not None
    assert told.auroc == pytest.approx(roc_auc_score(sick, feature), abs=0.01)
    assert told.low < told.auroc < told.high
    assert told.high - told.low == pytest.approx(4 * np.sqrt(0.8 * 0.2 / 3 / 250), rel=0.5)


@pytest.mark.parametrize(("numbers", "apart", "truth"), [(10, 0.0, 0.5), (200, 0.0, 0.5), (10, 0.6, 0.637)])
def test_the_interval_covers_what_is_true_as_often_as_it_says(numbers: int, apart: float, truth: float) -> None:
    """95 % of sets; the patients' resampling alone left out 22, 18 and 6 of 120. `truth` is the AUROC of discriminants
    taught by 240 cases."""
    below, above = 0, 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        sick = rng.integers(0, 2, 300)
        features = rng.normal(0, 1, (300, numbers))
        features[:, 0] += apart * sick
        told = label_auroc(dataset(np.where(sick, "sick", "healthy")), features, seed)
        assert told is not None
        below, above = below + (told.high < truth), above + (told.low > truth)
    assert below + above <= 11  # under 5 % there are more in 3 of 100 series


def test_recognising_the_patient_does_not_tell_the_label() -> None:
    """Ten images each of 60 patients with marks of their own: without grouping the label would be read off the patient."""
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(60), 10)
    marks = rng.normal(0, 1, (60, 40))[patients] + rng.normal(0, 0.05, (600, 40))
    labels = np.where(rng.permutation(60) < 30, "sick", "healthy")[patients]
    told, alone = label_auroc(dataset(labels, patients), marks), label_auroc(dataset(labels), marks)
    assert told is not None
    assert alone is not None
    assert alone.auroc > 0.8
    assert told.low < 0.6


def test_several_classes_are_judged_each_against_the_rest() -> None:
    rng = np.random.default_rng(2)
    kinds = np.arange(600) % 3
    features = np.eye(3)[kinds] + rng.normal(0, 0.1, (600, 3))
    told = label_auroc(dataset(np.array(["a", "b", "c"])[kinds]), features)
    assert told is not None
    assert told.low > 0.99


def test_too_few_patients_or_nothing_that_varies_say_nothing() -> None:
    labels = np.where(np.arange(200) < 15, "sick", "healthy")
    assert label_auroc(dataset(labels), np.random.default_rng(3).normal(0, 1, (200, 3))) is None
    assert label_auroc(dataset(np.where(np.arange(200) % 2, "sick", "healthy")), np.ones((200, 3))) is None
