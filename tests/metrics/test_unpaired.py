"""The difference of figures of two sets without common patients."""

from __future__ import annotations

import numpy as np
import pytest

from evenray.core.types import Estimate
from evenray.metrics.intervals import wilson
from evenray.metrics.unpaired import unpaired


def share(hits: int, cases: int) -> Estimate:
    low, high = wilson([hits], [cases])
    return Estimate(hits / cases, float(low[0]), float(high[0]), 0.5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 20), 0.6791, 1.0)],
)
def test_of_shares_it_is_newcombes_interval(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Stat. Med. 17:873, table II, method 10."""
    found = unpaired(share(*one), share(*other))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert (found.p < 0.05) == (found.low > 0)


def test_p_is_05_where_the_interval_ends_at_no_difference() -> None:
    found = unpaired(Estimate(0.3, 0.3 - 0.18, 0.5, 0), Estimate(0.0, -0.1, 0.24, 0))
    assert found.low == pytest.approx(0.0)
    assert found.p == pytest.approx(0.05)


def test_equal_figures_and_figures_without_an_interval() -> None:
    same = Estimate(0.8, 0.7, 0.9, 0.5)
    assert unpaired(same, same).p == 1.0
    found = unpaired(same, Estimate(0.7, np.nan, np.nan, 0.5))
    assert found.value == pytest.approx(0.1)
    assert np.isnan([found.low, found.high, found.p]).all()
