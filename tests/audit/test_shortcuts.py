"""How well features tell the label: against scikit-learn, by patient, and by the interval's coverage of chance."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from evenray.audit.shortcuts import telling
from evenray.core.types import Dataset


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
    told = telling(dataset(np.where(sick, "sick", "healthy")), feature[:, None])
    assert told is not None
    assert told.auroc == pytest.approx(roc_auc_score(sick, feature), abs=0.01)
    assert told.low < told.auroc < told.high
    assert told.high - told.low == pytest.approx(4 * np.sqrt(0.8 * 0.2 / 3 / 250), rel=0.5)


def test_chance_stays_within_the_interval() -> None:
    outside = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        told = telling(dataset(rng.choice(["healthy", "sick"], 300)), rng.normal(0, 1, (300, 10)), seed)
        assert told is not None
        outside += not told.low <= 0.5 <= told.high
    assert outside <= 4


def test_recognising_the_patient_does_not_tell_the_label() -> None:
    """Ten images each of 60 patients with marks of their own: without grouping the label would be read off the patient."""
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(60), 10)
    marks = rng.normal(0, 1, (60, 40))[patients] + rng.normal(0, 0.05, (600, 40))
    labels = np.where(rng.permutation(60) < 30, "sick", "healthy")[patients]
    told, alone = telling(dataset(labels, patients), marks), telling(dataset(labels), marks)
    assert told is not None
    assert alone is not None
    assert alone.auroc > 0.8
    assert told.low < 0.6


def test_several_classes_are_judged_each_against_the_rest() -> None:
    rng = np.random.default_rng(2)
    kinds = np.arange(600) % 3
    features = np.eye(3)[kinds] + rng.normal(0, 0.1, (600, 3))
    told = telling(dataset(np.array(["a", "b", "c"])[kinds]), features)
    assert told is not None
    assert told.low > 0.99


def test_too_few_patients_or_nothing_that_varies_say_nothing() -> None:
    labels = np.where(np.arange(200) < 15, "sick", "healthy")
    assert telling(dataset(labels), np.random.default_rng(3).normal(0, 1, (200, 3))) is None
    assert telling(dataset(np.where(np.arange(200) % 2, "sick", "healthy")), np.ones((200, 3))) is None
