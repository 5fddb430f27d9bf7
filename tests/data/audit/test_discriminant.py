"""The discriminant against scikit-learn's, and the folds: patients whole, classes even."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from evenray.data.audit._discriminant import SHRINKAGE, discriminate, folds


@pytest.mark.parametrize("classes", [2, 3])
def test_its_odds_are_those_of_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(classes)
    targets = rng.choice(classes, 300, p=[0.1, 0.9] if classes == 2 else None)
    taught = rng.normal(0, 1, (300, 12)) @ rng.normal(0, 1, (12, 12)) + targets[:, None]
    asked = rng.normal(0, 2, (40, 12)) + 1
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE, priors=np.full(classes, 1 / classes))
    chances = model.fit(taught, targets).predict_proba(asked)
    odds = discriminate(taught, targets, asked, classes)
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(chances, abs=1e-6)


def test_a_class_that_was_not_taught_is_never_meant() -> None:
    rng = np.random.default_rng(0)
    odds = discriminate(rng.normal(0, 1, (20, 3)), np.arange(20) % 2 * 2, rng.normal(0, 1, (5, 3)), 3)
    assert np.isneginf(odds[:, 1]).all()
    assert np.isfinite(odds[:, [0, 2]]).all()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=15, max_size=80), st.integers(0, 9))
def test_no_patient_is_in_two_folds(cases: list[tuple[int, int]], seed: int) -> None:
    targets, patients = np.array(cases).T
    found = folds(targets, patients, 5, seed)
    assert all(len(np.unique(found[patients == who])) == 1 for who in np.unique(patients))
    assert set(found.tolist()) <= set(range(5))


def test_each_fold_has_its_share_of_each_class() -> None:
    targets = np.repeat([0, 1, 2], [100, 30, 20])
    found = folds(targets, np.random.default_rng(0).permutation(150), 5, seed=1)
    assert [np.bincount(found[targets == k], minlength=5).tolist() for k in range(3)] == [[20] * 5, [6] * 5, [4] * 5]
