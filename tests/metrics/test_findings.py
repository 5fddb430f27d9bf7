"""Means over findings: those of scikit-learn finding by finding, unknown entries left out, intervals by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, recall_score, roc_auc_score

from evenray.core.errors import UsageError
from evenray.core.types import Predictions
from evenray.metrics import (
    averaged,
    calibration_curve,
    choose_threshold,
    compare_models,
    decision_curve,
    delong_difference,
    measured_findings,
    roc,
    score,
    score_findings,
)

NAMES = ("nodule", "effusion", "hernia")
SHIFT = np.array([1.0, 1.5, 0.5])


def predictions(cases: int = 300, seed: int = 0, unknown: float = 0.2, patients: int = 100, of: int = 3) -> Predictions:
    rng = np.random.default_rng(seed)
    who = rng.integers(0, patients, cases)
    present = rng.random((cases, of)) < np.array([0.15, 0.4, 0.3])[:of]
    logits = rng.normal(size=(cases, of)) + 0.5 * rng.normal(size=patients)[who][:, None] + SHIFT[:of] * present
    known = rng.random((cases, of)) >= unknown
    return made(present, known, logits, who)


def made(present: np.ndarray, known: np.ndarray, logits: np.ndarray, who: np.ndarray) -> Predictions:
    table = {"case": [f"c{i}" for i in range(len(who))], "patient": [f"p{i}" for i in who], "part": ["test"] * len(who)}
    columns = {}
    for k in range(present.shape[1]):
        columns[f"target_{k}"] = [bool(p) if n else None for p, n in zip(present[:, k], known[:, k], strict=True)]
        columns |= {f"logit_{k}": logits[:, k], f"p_{k}": 1 / (1 + np.exp(-logits[:, k]))}
    return Predictions(pl.DataFrame(table | columns), NAMES[: present.shape[1]], "", "tag")


def test_means_are_those_of_scikit_learn_over_the_known_cases() -> None:
    found = predictions()
    said = score_findings(found, [0.3, 0.5, None], resamples=0).estimates
    expected: dict[str, list[float]] = {name: [] for name in ("auroc", "auprc", "brier", "log_loss", "sensitivity")}
    for k, cut in enumerate((0.3, 0.5, 0.5)):
        known = found.targets[:, k] >= 0
        y, p = found.targets[known, k], found.probabilities[known, k]
        for name, value in (
            ("auroc", roc_auc_score(y, p)), ("auprc", average_precision_score(y, p)), ("brier", brier_score_loss(y, p)),
            ("log_loss", log_loss(y, p)), ("sensitivity", recall_score(y, p >= cut)),
        ):  # fmt: skip
            expected[name].append(float(value))
    for name, values in expected.items():
        assert said[name].value == pytest.approx(np.mean(values)), name
    prevalence = [(found.targets[:, k] == 1).sum() / (found.targets[:, k] >= 0).sum() for k in range(3)]
    assert said["auprc"].baseline == pytest.approx(np.mean(prevalence))
    assert said["sensitivity"].baseline == 0


def test_what_is_unknown_is_in_no_figure() -> None:
    found = predictions(seed=1)
    hidden = [
        pl.when(pl.col(f"target_{k}").is_null()).then(pl.lit(0.999)).otherwise(f"p_{k}").alias(f"p_{k}")
        for k in range(3)
    ]
    other = replace(found, table=found.table.with_columns(hidden))
    one, two = (measured_findings(each, resamples=50) for each in (found, other))
    for name in one:
        assert one[name].value == two[name].value
        assert np.array_equal(one[name].replicates, two[name].replicates)


def test_of_one_finding_all_figures_are_those_of_two_classes() -> None:
    found = predictions(of=1, seed=2)
    alone, mean = score(found.finding("nodule"), 0.4, resamples=0), score_findings(found, [0.4], resamples=0)
    for name, estimate in mean.estimates.items():
        assert estimate.value == pytest.approx(alone.estimates[name].value)


def test_what_is_about_classes_asks_for_one_finding() -> None:
    found = predictions()
    for ask in (score, roc, choose_threshold, calibration_curve, decision_curve):
        with pytest.raises(UsageError, match=r"take one of them, as in predictions.finding\('nodule'\)"):
            ask(found)  # type: ignore[operator]


def test_findings_of_one_patient_alone_are_left_out_of_means() -> None:
    found = predictions(seed=3, unknown=0)
    who = found.table["patient"][0]
    only = found.table.with_columns(target_2=pl.col("patient") == who)
    left = replace(found, table=only)
    assert averaged(left) == ("nodule", "effusion")
    assert np.isfinite(score_findings(left, resamples=100).estimates["auprc"].low)


def test_runs_are_compared_in_pairs_by_their_means() -> None:
    found = predictions(cases=600, seed=4, patients=300)
    worse = replace(found, table=found.table.with_columns(p_1=pl.lit(0.5), logit_1=pl.lit(0.0)).reverse())
    table = compare_models({"one": found, "other": worse}, "auroc", resamples=300)
    other = table.row(1, named=True)
    assert other["difference"] < 0
    assert other["p"] < 0.05
    test = delong_difference(worse, found)
    assert test.value == pytest.approx(other["difference"])
    assert test.low == pytest.approx(other["difference_low"], abs=0.03)


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
def test_the_interval_of_a_mean_covers_that_of_the_population(metric: str) -> None:
    # What one finding of a patient shares with the others makes the mean vary more than findings apart would.
    truth = np.mean(
        [measured_findings(predictions(6000, 100 + s, patients=2000), resamples=0)[metric].value for s in range(6)]
    )
    covered = []
    for seed in range(80):
        found = measured_findings(predictions(240, seed, patients=80), seed=seed, resamples=200)[metric]
        covered.append(found.low <= truth <= found.high)
    assert 0.86 <= np.mean(covered) <= 1.0


def test_what_is_right_everywhere_has_an_interval_all_the_same() -> None:
    rng = np.random.default_rng(0)
    present = np.stack([np.arange(24) % 3 == 0, np.arange(24) % 4 == 0], axis=1)
    logits = np.where(present, 4.0, -4.0) + rng.normal(0, 0.1, present.shape)
    found = measured_findings(made(present, np.ones_like(present), logits, np.arange(24)), resamples=50)
    measure = found["balanced_accuracy"]
    assert measure.value == 1
    assert 0.3 < measure.low < 0.9
    assert measure.high == 1
