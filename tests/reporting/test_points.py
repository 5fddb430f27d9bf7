"""The counts that the slider walks along, against counting by hand and the project's own metrics."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc, roc_auc_score

from evenray.reporting.points import operating, thinned

cases = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])), min_size=1, max_size=30)


@given(cases, st.floats(0, 1))
def test_every_row_counts_the_cases_at_or_above_its_threshold(rows: list[tuple[bool, float]], chosen: float) -> None:
    positive, p = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    table = operating(positive, p, chosen)
    for threshold, true, false in zip(table.thresholds, table.true_positives, table.false_positives, strict=True):
        assert true == (positive & (p >= threshold)).sum()
        assert false == (~positive & (p >= threshold)).sum()
    assert table.thresholds[table.row(chosen)] == chosen
    assert table.true_positives[0] == table.false_positives[0] == 0
    assert (table.true_positives[-1], table.false_positives[-1]) == (
        table.positives,
        table.negatives,
    ) or chosen < p.min()


def test_many_distinct_probabilities_are_thinned_but_keep_the_ends_and_the_chosen_one() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(9000)
    table = operating(rng.random(9000) < 0.1, p, chosen=0.123456789, most=500)
    assert len(table.thresholds) <= 502
    assert 0.123456789 in table.thresholds
    assert table.true_positives[-1] == table.positives


def test_thinning_keeps_the_area() -> None:
    rng = np.random.default_rng(1)
    positive = rng.random(3000) < 0.2
    p = rng.normal(positive, 1).round(1)
    table = operating(positive, p)
    x, y = thinned(table.false_positives / table.negatives, table.true_positives / table.positives, most=10_000)
    assert len(x) <= len(table.thresholds)
    np.testing.assert_allclose(auc(x, y), roc_auc_score(positive, p), atol=1e-12)


def test_thinning_drops_what_lies_inside_straight_runs() -> None:
    x, y = thinned(np.array([0.0, 0.0, 0.0, 0.5, 1.0]), np.array([0.0, 0.4, 1.0, 1.0, 1.0]))
    assert x.tolist() == [0, 0, 1]
    assert y.tolist() == [0, 1, 1]
