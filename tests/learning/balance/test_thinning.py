"""Rarer classes by whole patients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenray.core.errors import DataError, UsageError
from evenray.learning.balance import parse_ratio, thin


def several_images(seed, patients=400):
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(patients), rng.integers(1, 4, patients))
    return (rng.random(patients) < 0.3)[of].astype(np.int64), of


@settings(deadline=None)
@given(seed=st.integers(0, 50), ratio=st.sampled_from([0.5, 1.0, 3.0, 10.0, 50.0]))
def test_the_ratio_is_met_and_patients_stay_whole(seed, ratio):
    targets, patients = several_images(seed)
    kept = thin(targets, patients, positive=1, ratio=ratio, seed=seed)
    healthy, sick = np.bincount(targets[kept], minlength=2)
    assert sick * ratio <= healthy + 3 * ratio + 3  # to one patient, who has up to three images
    assert healthy <= (sick + 3) * ratio + 3
    for patient in np.unique(patients):
        assert len(set(kept[patients == patient])) == 1
    either = kept.sum() == 0 or (kept[targets == 0].all() or kept[targets == 1].all())
    assert either, "only one class gives up cases"


def test_rarer_selections_lie_within_less_rare_ones():
    targets, patients = several_images(0)
    kept = [thin(targets, patients, 1, ratio, seed=5) for ratio in (3.0, 10.0, 50.0)]
    assert (kept[1] <= kept[0]).all()
    assert (kept[2] <= kept[1]).all()


def test_mistakes_are_named():
    with pytest.raises(UsageError, match="'500'; expected positive to other cases, as in 1:500"):
        parse_ratio("500")
    with pytest.raises(UsageError, match="1:0"):
        parse_ratio("1:0")
    with pytest.raises(DataError, match="1:500 cannot be made of 3 positive and 5 other cases"):
        thin(np.array([0] * 5 + [1] * 3), np.arange(8), 1, 500)
