"""Patients, groups and decision curves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Predictions
from evenray.learning.tasks.scores import summarise
from evenray.metrics import bands, by_group, choose_threshold, decision_curve, per_patient, score


def test_images_of_a_patient_are_averaged(binary):
    images = binary([0.2, 0.4, 0.9, 0.6, 0.1], [0, 0, 1, 1, 0], [7, 7, 3, 3, 5])
    table = images.table.with_columns(site=pl.Series(["A", "A", "B", "C", None]))
    patients = per_patient(Predictions(table, images.classes, "sick"))
    assert patients.table.height == 3
    assert patients.probabilities[:, 1] == pytest.approx([0.3, 0.75, 0.1])
    assert patients.targets.tolist() == [0, 1, 0]
    assert patients.table["label"].to_list() == ["healthy", "sick", "healthy"]
    assert patients.table["site"].to_list() == ["A", None, None]
    assert patients.table["case"].to_list() == ["case0", "case2", "case4"]
    assert per_patient(images, "max").probabilities[:, 1] == pytest.approx([0.4, 0.9, 0.1])
    np.testing.assert_allclose(np.exp(patients.logits), patients.probabilities)
    assert score(patients, 0.5, resamples=10).patients == 3


def test_one_sick_image_makes_a_sick_patient(binary):
    images = binary([0.2, 0.9], [0, 1], [1, 1])
    assert per_patient(images).targets.tolist() == [1]
    flipped = Predictions(images.table, images.classes, "healthy")
    assert per_patient(flipped).targets.tolist() == [0]
    assert per_patient(flipped, "max").probabilities.tolist() == [pytest.approx([0.8, 0.2])]


def test_patients_that_are_not_known_stand_alone(make_predictions):
    images = make_predictions(classes=3)
    alone = per_patient(images)
    np.testing.assert_allclose(alone.probabilities, images.probabilities)
    assert alone.targets.tolist() == images.targets.tolist()


def test_groups_are_scored_apart(make_predictions):
    images = make_predictions(cases=300)
    site = np.array(["B", "A", None], dtype=object)[np.arange(300) % 3]
    age = [[10.0, 40.0, 90.0, None][i % 4] for i in range(300)]
    images = Predictions(
        images.table.with_columns(site=pl.Series(list(site)), age=pl.Series(age)), images.classes, "sick"
    )
    groups = by_group(images, "site", 0.3, resamples=20)
    assert list(groups) == ["A", "B", "unknown"]
    assert [g.cases for g in groups.values()] == [100, 100, 100]
    mask = site == "A"
    part = Predictions(images.table.filter(pl.Series(mask)), images.classes, "sick")
    assert groups["A"].auroc.value == score(part, 0.3, resamples=20).auroc.value
    assert list(by_group(images, "age", resamples=0)) == ["<18", "40–65", "≥65", "unknown"]
    assert list(by_group(images, "age", edges=(50,), resamples=0)) == ["<50", "≥50", "unknown"]


@pytest.mark.parametrize("edges", [(18, 40, 65), (5, 65, 100)])
def test_bands_of_age_come_in_the_order_of_age(make_predictions, edges):
    images = make_predictions(cases=300)
    ages = [[90.0, 30.0, None, 3.0, 50.0][i % 5] for i in range(300)]
    written = images.table.with_columns(age_band=pl.Series(bands(ages, edges)), age=pl.Series(ages))
    images = Predictions(written, images.classes, "sick")
    groups = by_group(images, "age_band", resamples=0)
    assert list(groups) == list(by_group(images, "age", edges=edges, resamples=0))
    assert next(iter(groups)) == f"<{edges[0]}"


def test_the_decision_curve_by_hand(binary):
    """Ten people, four sick. At a risk of 0.5 three sick and one healthy are treated: 3/10 - 1/10."""
    forecasts = [0.9, 0.8, 0.7, 0.4, 0.6, 0.3, 0.2, 0.2, 0.1, 0.1]
    people = binary(forecasts, [1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    curve = decision_curve(people, at=[0.5, 0.25], resamples=200)
    assert curve["net_benefit"].to_list() == pytest.approx([0.3 - 0.1, 0.4 - 0.2 / 3])
    assert curve["treat_all"].to_list() == pytest.approx([0.4 - 0.6, 0.4 - 0.6 / 3])
    assert curve["treat_none"].to_list() == [0, 0]
    assert (curve["low"] <= curve["net_benefit"]).all()
    assert (curve["net_benefit"] <= curve["high"]).all()
    assert curve["over_all"].to_list() == pytest.approx([0.2 + 0.2, 0.4 - 0.2 / 3 - (0.4 - 0.6 / 3)])
    widths = {name: curve[f"{name}high"] - curve[f"{name}low"] for name in ("", "over_all_")}
    assert widths["over_all_"][1] < widths[""][1]  # what both share with the prevalence is no part of their difference
    rare = decision_curve(people, at=[0.5], prevalence=0.1, resamples=0)
    assert rare["net_benefit"].to_list() == pytest.approx([0.1 * 3 / 4 - 0.9 / 6])
    assert rare["over_all"].to_list() == pytest.approx([0.1 * 3 / 4 - 0.9 / 6 - (0.1 - 0.9)])


@pytest.mark.filterwarnings("error")
def test_at_a_prevalence_a_part_without_a_class_has_no_curve(binary):
    people = binary([0.9, 0.4, 0.2, 0.1], [0, 0, 0, 0])
    there = decision_curve(people, at=[0.5], prevalence=0.1, resamples=50)
    assert there.select("net_benefit", "low", "high").fill_nan(None).null_count().row(0) == (1, 1, 1)
    here = decision_curve(people, at=[0.5], resamples=50)
    assert here["net_benefit"].to_list() == pytest.approx([-0.25])
    found = summarise({"validation": people, "test": people}, None, np.array([0.9, 0.1]), np.array([0.9, 0.1]))
    assert found.decision_curve == {}


def test_a_calibrated_forecast_is_never_worse_than_treating_all_or_none(make_predictions):
    people = make_predictions(cases=100_000)
    curve = decision_curve(people, resamples=0)
    best = np.maximum(curve["treat_all"], 0)
    assert (curve["net_benefit"] > best - 0.003).all()
    at = choose_threshold(people, "net_benefit(at=0.3)")
    assert at == pytest.approx(0.3, abs=0.05)


def test_mistakes_are_named(make_predictions, binary):
    several = make_predictions(classes=3, cases=60, patients=10)
    with pytest.raises(DataError, match="patients have images of several classes"):
        per_patient(several)
    with pytest.raises(UsageError, match="no way to combine images named 'median'"):
        per_patient(binary([0.1], [0]), "median")
    with pytest.raises(UsageError, match="is for two classes"):
        per_patient(several, "max")
    with pytest.raises(UsageError, match="no column 'site' to group by; there are: none"):
        by_group(binary([0.1], [0]), "site")
    with pytest.raises(UsageError, match="between 0 and 1"):
        decision_curve(binary([0.1], [0]), at=[0.5, 1.0])
