"""Differences between groups: false alarms, planted differences, and patients who are in both groups, by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from scipy.stats import norm

from evenray.core.types import Predictions
from evenray.metrics import holm, score
from evenray.metrics.group_differences import _Figure, _joined, _p, detectable, group_differences


def simulated(
    rng: np.random.Generator, patients: int, sites: int, prevalence: float, *, images: int = 1, shift: float = 0.0,
    crossed: bool = False,
) -> Predictions:  # fmt: skip
    """AUROC .85 at every site but the first, where the sick lie `shift` lower; `crossed` patients have an image at each site."""
    sick = np.repeat(rng.random(patients) < prevalence, images)
    patient = np.repeat(np.arange(patients), images)
    common = rng.normal(size=patients)[patient] * np.sqrt(0.5)
    site = np.arange(len(sick)) % sites if crossed else rng.integers(0, sites, patients)[patient]
    noise = rng.normal(size=len(sick)) * np.sqrt(0.5) + common
    p = expit(1.466 * sick + noise - 1.5 - shift * (sick & (site == 0)))
    table = {
        "patient": [f"p{i}" for i in patient], "target": sick.astype(int), "p_0": 1 - p, "p_1": p,
        "site": [f"site {i}" for i in site],
    }  # fmt: skip
    return Predictions(pl.DataFrame(table), ("well", "sick"), "sick")


@pytest.mark.parametrize(
    ("patients", "sites", "prevalence", "images"), [(120, 2, 0.15, 1), (300, 2, 0.3, 1), (200, 3, 0.3, 2)]
)
def test_false_alarms_are_no_more_than_one_in_twenty(patients: int, sites: int, prevalence: float, images: int) -> None:
    rng, alarms, single, runs = np.random.default_rng(1), 0, list[float](), 100
    for _ in range(runs):
        found = group_differences(simulated(rng, patients, sites, prevalence, images=images), ["site"], 0.35)
        alarms += bool((holm([each.p for each in found]) < 0.05).any())
        single += [each.p for each in found]
        assert all((each.p < 0.05) != (each.low <= 0 <= each.high) for each in found)
    assert alarms <= 10  # of 100; with a chance of one in twenty more come once in ninety
    assert np.mean(np.array(single) < 0.05) < 0.075


def cross_validated(rng: np.random.Generator) -> Predictions:
    """60 patients of 1 to 3 images each in three folds, whose networks' scores have scales of their own."""
    made = simulated(rng, 60, 3, 0.4, images=3)
    table = made.table.filter(pl.Series(np.arange(180) % 3 <= rng.integers(0, 3, 60).repeat(3)))
    fold = rng.permutation(60)[table["patient"].str.slice(1).cast(pl.Int64).to_numpy()] % 3
    logits = np.log(table["p_1"] / table["p_0"]).to_numpy() + 1.5 * fold
    columns = {
        "p_0": expit(-logits),
        "p_1": expit(logits),
        "fold": fold,
        "prior_0": 0.6,
        "prior_1": 0.4,
        "threshold": 0.5,
    }
    columns |= {"case": [str(i) for i in range(len(fold))], "repeat": 1}
    return replace(
        made,
        table=table.with_columns(
            **{n: pl.Series(v) if hasattr(v, "__len__") else pl.lit(v) for n, v in columns.items()}
        ),
    )


def test_false_alarms_of_a_cross_validation_are_no_more_than_one_in_twenty() -> None:
    """A fold often holds several images of one sick patient of a site alone, of which no error is known."""
    rng, alarms, single = np.random.default_rng(8), 0, list[float]()
    for _ in range(100):
        areas = [each for each in group_differences(cross_validated(rng), ["site"]) if each.metric == "auroc"]
        alarms += bool(len(areas) and (holm([each.p for each in areas]) < 0.05).any())
        single += [each.p for each in areas]
        assert all(each.high > each.low for each in areas)
    assert alarms <= 10
    assert np.mean(np.array(single) < 0.05) < 0.075


def test_an_unknown_error_is_no_certainty() -> None:
    known, unknown = (
        _Figure(value, lambda z: (0.5, 0.9), np.full(4, share)) for value, share in ((0.8, 0.1), (0.6, np.nan))
    )
    low, high = _joined(known, unknown, 1.96)
    assert low < 0.2 < high
    assert _p(known, unknown) > 0.05
    lost = _Figure(0.6, lambda z: (np.nan, np.nan), np.zeros(4))
    assert np.isnan(_joined(known, lost, 1.96)).all()
    assert _p(known, lost) == pytest.approx(1)


def test_the_smallest_detectable_difference_is_found_four_times_in_five() -> None:
    rng, shown, seen, runs = np.random.default_rng(2), 0, list[float](), 120
    for _ in range(runs):
        [auroc, *_] = group_differences(simulated(rng, 500, 2, 0.4, shift=0.75), ["site"], 0.35)
        shown += auroc.p < 0.05
        seen.append(detectable(auroc.error, 1))
    truth = norm.cdf(1.466 / np.sqrt(2)) - norm.cdf((1.466 - 0.75) / np.sqrt(2))
    power = norm.cdf(truth / (np.mean(seen) / (1.96 + 0.8416)) - 1.96)
    assert shown / runs == pytest.approx(power, abs=0.1)


def test_patients_in_both_groups_narrow_the_interval() -> None:
    rng = np.random.default_rng(3)
    crossed, apart = (simulated(rng, 200, 2, 0.4, images=2, crossed=each) for each in (True, False))
    widths = [group_differences(each, ["site"], 0.35)[0].error for each in (crossed, apart)]
    assert widths[0] < 0.85 * widths[1]
    covered = 0
    for _ in range(100):
        [auroc, *_] = group_differences(simulated(rng, 100, 2, 0.4, images=2, crossed=True), ["site"], 0.35)
        covered += auroc.low <= 0 <= auroc.high
    assert covered >= 90


def test_the_figures_are_those_of_the_groups_scored_alone() -> None:
    made = simulated(np.random.default_rng(4), 300, 3, 0.4)
    found = group_differences(made, ["site"], 0.35)
    assert [each.group for each in found[::3]] == ["site 0", "site 1", "site 2"]
    for each in found:
        own = replace(made, table=made.table.filter(pl.col("site") == each.group))
        others = replace(made, table=made.table.filter(pl.col("site") != each.group))
        assert each.value == pytest.approx(score(own, 0.35, resamples=0).estimates[each.metric].value)
        assert each.other == pytest.approx(score(others, 0.35, resamples=0).estimates[each.metric].value)
        assert each.low < each.difference < each.high


def test_many_classes_have_the_area_and_the_balanced_accuracy() -> None:
    rng = np.random.default_rng(5)
    target = rng.integers(0, 3, 240)
    logits = rng.normal(size=(240, 3)) + 1.5 * np.eye(3)[target]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = {"patient": [None] * 240, "target": target, "sex": list("FM") * 120} | {f"p_{k}": p[:, k] for k in range(3)}
    made = Predictions(pl.DataFrame(table, schema_overrides={"patient": pl.String}), ("a", "b", "c"), "c")
    found = group_differences(made, ["sex"])
    assert [each.metric for each in found] == ["auroc", "balanced_accuracy"]
    assert found[0].against == "M"
    own = replace(made, table=made.table.filter(sex="F"))
    assert found[1].value == pytest.approx(score(own, resamples=0).balanced_accuracy.value)


def test_groups_of_one_patient_and_unknown_ones_are_left_out() -> None:
    made = simulated(np.random.default_rng(6), 100, 2, 0.4)
    lonely = made.table.with_columns(
        site=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("alone")).otherwise(pl.lit("rest")),
        sex=pl.lit(None, pl.String),
    )
    assert group_differences(replace(made, table=lonely), ["site", "sex"], 0.35) == []
