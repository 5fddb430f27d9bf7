"""Probabilities fitted anew on half of an external set: which half of its patients, and where they are too few."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts.scores import CalibrationRecord, ScoresRecord
from evenray.core.errors import DataError
from evenray.core.facts import Facts
from evenray.core.types import Dataset, Predictions
from evenray.learning.tasks import task_of
from evenray.stages.recalibrating import recalibrated, require_halves


def record(rule: str | None = None) -> ScoresRecord:
    return ScoresRecord(
        classes=("well", "sick"), positive="sick", threshold=0.5, threshold_rule=rule, prevalence=None, tta=None, parts={},
        calibration=CalibrationRecord(method="none", parameters={}), patients=None, groups={}, decision_curve={},
    )  # fmt: skip


def dataset(patients: list[str], sick: np.ndarray) -> Dataset:
    names = [f"c{i}" for i in range(len(sick))]
    cases = pl.DataFrame({"case": names, "file": names, "patient": patients, "part": "test"})
    if sick.ndim == 1:
        return Dataset(
            cases.with_columns(label=pl.Series(np.where(sick, "sick", "well"))), ("well", "sick"), "sick", ""
        )
    findings = pl.Series(sick.astype(bool).tolist(), dtype=pl.List(pl.Boolean))
    return Dataset(cases.with_columns(findings=findings), ("a", "b"), "", "", facts=Facts(task="tag"))


def predictions(data: Dataset) -> Predictions:
    """Right for the most part, with a little noise."""
    targets = data.targets
    hot = targets if targets.ndim == 2 else np.eye(2)[targets]
    p = np.clip(0.2 + 0.6 * hot + np.random.default_rng(1).normal(0, 0.15, hot.shape), 0.01, 0.99)
    p = p if targets.ndim == 2 else p / p.sum(axis=1, keepdims=True)
    return task_of(data.facts.task).predictions(data, np.log(p), p)


@pytest.mark.parametrize(("rule", "refused"), [("sensitivity(0.97)", "sensitivity(0.97)"), ("youden", None)])
def test_a_rule_that_half_of_the_patients_cannot_keep_leaves_the_figures(rule: str, refused: str | None) -> None:
    rng, sick = np.random.default_rng(0), np.arange(120) < 50  # 25 of them to choose on, and the rule needs 33
    p = np.clip(np.where(sick, 0.6, 0.4) + rng.normal(0, 0.15, 120), 0.01, 0.99)
    who = [str(i) for i in range(120)]
    table = pl.DataFrame({"case": who, "patient": who, "target": sick.astype(int), "p_0": 1 - p, "p_1": p})
    found = recalibrated(Predictions(table, ("well", "sick"), "sick"), record(rule), 0.5, [None], seed=0)
    assert found.refused == refused
    assert (found.threshold is None, found.rates == {}) == (refused is not None,) * 2
    assert found.figures["log_loss"].before.value > 0


@pytest.mark.parametrize("seed", range(5))
def test_both_halves_have_sick_images_where_more_patients_than_one_have_them(seed: int) -> None:
    """Four patients have all of the 80, two of them 30 each; the healthy come of sixty."""
    patients = [f"s{i}" for i, n in enumerate((30, 30, 10, 10)) for _ in range(n)] + [f"w{i // 2}" for i in range(120)]
    data = dataset(patients, np.arange(200) < 80)
    require_halves(data, seed=seed)
    found = recalibrated(predictions(data), record(), 0.5, [None], seed=seed)
    assert (found.fitted_cases, found.cases) == (100, 100)
    assert found.fitted_patients + found.patients == 64
    prevalence = found.figures["oe_ratio"].before.value * predictions(data).probabilities[:, 1].mean()
    assert prevalence == pytest.approx(0.4, abs=0.05)  # in the half that is told of


@pytest.mark.parametrize("seed", range(5))
def test_a_half_without_sick_images_is_refused_by_the_labels_whichever_it_is(seed: int) -> None:
    data = dataset(["s"] * 80 + [f"w{i // 2}" for i in range(120)], np.arange(200) < 80)
    refused = "would have 0 cases of 'sick', and each needs 20. Give a set with more of them, or leave it out"
    with pytest.raises(DataError, match=refused):
        require_halves(data, seed=seed)
    with pytest.raises(DataError, match=refused):
        recalibrated(predictions(data), record(), 0.5, [None], seed=seed)


def test_findings_are_halved_each_and_are_refused_where_both_halves_have_enough_of_none() -> None:
    """b is with three of the patients who have a, whose 60 are even by themselves."""
    patients = [f"p{i // 2}" for i in range(240)]
    a, b = np.arange(240) < 120, np.arange(240) < 6
    cuts = [0.5, 0.5]
    found = recalibrated(
        predictions(dataset(patients, np.column_stack([a, b]))), record("youden"), cuts, [None, None], seed=0
    )
    assert found.figures["log_loss"].value != 0
    with pytest.raises(DataError, match=r"of no finding would both have 20 cases.*\('b' comes nearest, with 2\)"):
        require_halves(dataset(patients, np.column_stack([a & False, b])), seed=0)


def at_shares(logit: np.ndarray, shift: float) -> np.ndarray:
    return 1 / (1 + np.exp(-logit - shift))


def test_probabilities_that_are_right_at_the_prevalence_asked_for_are_left_alone() -> None:
    """Half of the set is sick; the probabilities are right where 5 % are."""
    rng, sick = np.random.default_rng(3), np.arange(800) % 2
    p = at_shares(rng.normal(2 * sick - 1, 1) * 2, np.log(0.05 / 0.95))  # of N(1, 1) and N(-1, 1) the log ratio is 2x
    who = [str(i) for i in range(800)]
    table = pl.DataFrame({"case": who, "patient": who, "target": sick, "p_0": 1 - p, "p_1": p})
    right, at = Predictions(table, ("well", "sick"), "sick"), [np.array([0.95, 0.05])]
    found = recalibrated(right, record("accuracy"), 0.5, at, seed=0)
    gain = found.figures["log_loss"]
    assert (gain.before.value, gain.value) == (pytest.approx(0.08, abs=0.04), pytest.approx(0, abs=0.01))
    assert found.figures["oe_ratio"].before.value == pytest.approx(1, abs=0.3)
    assert found.threshold == pytest.approx(0.5, abs=0.25)
    assert found.rates["accuracy"].value > 0.95  # of 5 % most are well
    assert recalibrated(right, record(), 0.5, [None], seed=0).figures["log_loss"].value < -0.3  # to half


def test_so_are_those_of_findings() -> None:
    rng, has = np.random.default_rng(4), np.arange(800) % 2
    logit = rng.normal(2 * has - 1, 1) * 2
    p = np.column_stack([at_shares(logit, np.log(0.05 / 0.95)), at_shares(logit, 0.0)])
    data = dataset([str(i) for i in range(800)], np.column_stack([has, has]))
    right, at = task_of("tag").predictions(data, np.log(p), p), [np.array([0.95, 0.05]), None]
    found = recalibrated(right, record("youden"), [0.5, 0.5], at, seed=0)
    assert found.figures["log_loss"].value == pytest.approx(0, abs=0.015)
