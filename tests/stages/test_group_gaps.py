"""Differences between groups as the evaluation records and tells them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from evenray.core.artefacts.scores import CalibrationRecord, ScoresRecord
from evenray.core.events import Events
from evenray.core.types import Predictions
from evenray.metrics import holm
from evenray.stages.group_gaps import group_gaps, tell_gaps

from .conftest import Heard


def predictions(gap: float) -> Predictions:
    """400 patients of two sites, at the second of which the sick lie `gap` lower; the sexes do not differ."""
    rng = np.random.default_rng(0)
    sick, site = rng.random(400) < 0.4, rng.integers(0, 2, 400)
    p = expit(2.5 * sick - 1.2 + rng.normal(size=400) - gap * (sick & (site == 1)))
    table = {
        "patient": [None] * 400, "part": ["test"] * 400, "target": sick.astype(int), "p_0": 1 - p, "p_1": p,
        "site": [("north", "south")[s] for s in site], "sex": list("FM") * 200, "age_band": ["18–40"] * 400,
    }  # fmt: skip
    return Predictions(pl.DataFrame(table, schema_overrides={"patient": pl.String}), ("well", "sick"), "sick")


SCORES = ScoresRecord(
    classes=("well", "sick"), positive="sick", threshold=0.5, threshold_rule="youden", prevalence=None, tta=None, parts={},
    calibration=CalibrationRecord(method="none", parameters={}), patients=None, groups={}, decision_curve={},
)  # fmt: skip


@pytest.mark.parametrize(("gap", "told"), [(1.5, True), (0.0, False)])
def test_what_chance_does_not_explain_is_warned_of(gap: float, told: bool) -> None:
    record = group_gaps(predictions(gap), SCORES)
    assert record is not None
    assert {each.column for each in record.compared} == {"site", "sex"}  # one age band tells nobody apart
    assert [each.p_holm for each in record.compared] == pytest.approx(
        holm([each.p for each in record.compared]).tolist()
    )
    heard = Heard()
    tell_gaps(record, Events(heard))
    shown = {(each.column, each.metric) for each in record.compared if each.p_holm < 0.05}
    assert (("site", "auroc") in shown) == told
    assert len(heard.lines) == len(shown)
    if told:
        assert any(line.startswith("AUROC differs between groups: site north +0.") for line in heard.lines)


def test_the_smallest_detectable_difference_answers_for_all_comparisons() -> None:
    record = group_gaps(predictions(0.0), SCORES)
    assert record is not None
    for each in record.compared:
        error = (each.high - each.low) / 3.92
        assert each.detectable == pytest.approx(
            (2.638 + 0.842) * error, rel=0.01
        )  # z at .025 / 6, and of a power of .8


def test_without_groups_there_is_no_record() -> None:
    plain = predictions(0.0)
    assert group_gaps(Predictions(plain.table.drop("site", "sex", "age_band"), plain.classes, "sick"), SCORES) is None
