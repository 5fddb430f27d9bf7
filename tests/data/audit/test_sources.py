"""Association with the label against scipy's."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import chdtrc
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from evenray.data.audit.sources import chi_squared_beyond, cramers_v


@pytest.mark.parametrize("values", [2, 3, 7])
@pytest.mark.parametrize("apart", [0.0, 0.3])
def test_as_scipy_says(values: int, apart: float) -> None:
    rng = np.random.default_rng(values)
    label = rng.integers(0, 2, 400)
    value = np.where(rng.random(400) < apart, label, rng.integers(0, values, 400))
    strength, p = cramers_v(pl.DataFrame({"value": value.astype(str), "label": label.astype(str)}))
    counts = np.zeros((values, 2), int)
    np.add.at(counts, (value, label), 1)
    assert strength == pytest.approx(association(counts, method="cramer"))
    expected = chi2_contingency(counts, correction=False).pvalue
    assert p == pytest.approx(expected, rel=0.1) if expected > 1e-3 else p < 1.2e-3


@pytest.mark.parametrize("freedom", [1, 2, 5, 19])
def test_the_tail_of_chi_squared(freedom: int) -> None:
    for statistic in np.linspace(0.2, 3, 15) * freedom:
        exact = chdtrc(freedom, statistic)
        if exact > 1e-3:
            assert chi_squared_beyond(statistic, freedom) == pytest.approx(exact, rel=0.2)
