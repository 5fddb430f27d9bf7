"""Figures of a repeated cross-validation, against scikit-learn's and by simulation of known truth."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from evenray.core.types import Estimate, Predictions, Scores
from evenray.metrics import called_by_fold, choose_threshold, each_repeat, joined, over_repeats, score
from evenray.metrics._area import components
from evenray.metrics.folds import ENOUGH


def folded(seed: int = 0, sick: int = 20, well: int = 60, folds: int = 4, repeats: int = 1) -> Predictions:
    """Held-out predictions of networks whose scores have different scales."""
    rng, tables = np.random.default_rng(seed), []
    y = np.repeat([1, 0], [sick, well])
    for repeat in range(repeats):
        fold = (np.arange(len(y)) + repeat) % folds
        p = 1 / (1 + np.exp(-(1.2 * y + rng.normal(size=len(y)) + 1.5 * fold - 2)))
        names = [str(i) for i in range(len(y))]
        tables.append(pl.DataFrame({"case": names, "patient": names, "target": y,
                                    "p_0": 1 - p, "p_1": p, "repeat": repeat + 1, "fold": fold,
                                    "prior_0": well / len(y), "prior_1": sick / len(y)}))  # fmt: skip
    return Predictions(pl.concat(tables), ("well", "sick"), "sick")


def test_auroc_is_the_mean_within_folds_and_auprc_that_of_all() -> None:
    rows = folded()
    y, p, fold = rows.targets, rows.probabilities[:, 1], rows.folds
    within = [roc_auc_score(y[fold == f], p[fold == f]) for f in range(4)]
    found = score(rows, resamples=0)
    assert found.auroc.value == pytest.approx(np.mean(within))
    assert found.auroc.value > roc_auc_score(y, p) + 0.05  # the scales differ
    assert found.auprc.value == pytest.approx(average_precision_score(y, p))


def test_the_error_of_a_mean_is_that_of_independent_folds() -> None:
    rows = folded()
    y, p, who = rows.targets == 1, rows.probabilities[:, 1], rows.patients
    assert rows.folds is not None
    area, influence = components(p, y, who, rows.folds)
    each = [components(p[f], y[f], who[f]) for f in (np.flatnonzero(rows.folds == k) for k in range(4))]
    assert area == pytest.approx(np.mean([one[0] for one in each]))
    assert (influence**2).sum() == pytest.approx(sum((one[1] ** 2).sum() for one in each) / 16)


def test_folds_with_too_few_cases_are_ranked_together() -> None:
    few = folded(sick=ENOUGH * 4 - 1)
    assert score(few, resamples=0).auroc.value == pytest.approx(roc_auc_score(few.targets, few.probabilities[:, 1]))


def test_every_case_is_called_at_the_threshold_of_its_fold() -> None:
    test, validation = folded(1), folded(2)
    called = called_by_fold(test, validation, "youden")
    own = {f: Predictions(t, test.classes, "sick") for (f,), t in validation.table.group_by("fold")}
    wanted = {f: choose_threshold(one, "youden", (0.75, 0.25)) for f, one in own.items()}
    assert called.table["threshold"].to_list() == [wanted[f] for f in test.table["fold"]]
    said = test.probabilities[:, 1] >= called.table["threshold"].to_numpy()
    assert score(called, resamples=0).sensitivity.value == pytest.approx(said[test.targets == 1].mean())


def test_a_fold_that_cannot_choose_calls_by_the_prevalence() -> None:
    validation = folded(2)
    one_kind = validation.table.filter((pl.col("fold") != 2) | (pl.col("target") == 0)).filter(pl.col("fold") != 3)
    called = called_by_fold(folded(1), Predictions(one_kind, ("well", "sick"), "sick"), "youden").table
    assert set(called.filter(pl.col("fold") >= 2)["threshold"]) == {0.25}


def test_figures_are_means_over_the_repeats() -> None:
    repeats = each_repeat(folded(repeats=3))
    assert len(repeats) == 3
    found = over_repeats(repeats, _scored(200))
    each = [score(one, resamples=200) for one in repeats]
    for name, estimate in found.estimates.items():
        assert estimate.value == pytest.approx(np.mean([one.estimates[name].value for one in each]), nan_ok=True)
        assert np.isnan(estimate.low) or estimate.low <= estimate.value <= estimate.high
    assert found.confusion.sum(axis=1).tolist() == [60, 20]
    assert found.cases == 80


def test_a_test_part_is_scored_as_it_is() -> None:
    plain = folded()
    plain = Predictions(plain.table.drop("fold", "repeat"), plain.classes, plain.positive)
    told = (over_repeats(each_repeat(plain), _scored(100)), score(plain, resamples=100))
    assert repr(told[0].estimates) == repr(told[1].estimates)


def test_trainings_that_differ_widen_the_interval() -> None:
    repeats = [Estimate(0.8, 0.75, 0.85, 0.5)] * 3
    alike, apart = [[0.8] * 5] * 3, [[0.6, 0.7, 0.8, 0.9, 1.0]] * 3
    assert joined(repeats, alike) == Estimate(pytest.approx(0.8), pytest.approx(0.75), pytest.approx(0.85), 0.5)
    wide = joined(repeats, apart, 0.0, 1.0)
    between = np.var([one for repeat in apart for one in repeat], ddof=1) - 5 * (0.05 / 1.96) ** 2
    assert wide.value - wide.low == pytest.approx(np.hypot(0.05, 1.96 * np.sqrt(between * 16 / 15)), rel=1e-3)
    assert wide.high == 1.0


def _scored(resamples: int) -> Callable[[Predictions, bool], Scores]:
    return lambda predictions, bounded: score(predictions, resamples=resamples if bounded else 0)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "simulate_nested.py"
    spec = spec_from_file_location("simulate_nested", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_intervals_hold_the_truth_of_the_model_for_use(tool: ModuleType) -> None:
    """In 40 simulated studies with 20 positive patients; patients alone would hold the rates of a training too seldom."""
    studies = [tool.study(seed, tool.World(20, 80), repeats=2, resamples=60) for seed in range(40)]
    for name in ("auroc", "auprc", "balanced_accuracy", "sensitivity", "specificity"):
        held = [each.found[name].low <= each.model[name] <= each.found[name].high for each in studies]
        assert sum(held) >= 33, name
    patients = [
        each.patients["specificity"].low <= each.model["specificity"] <= each.patients["specificity"].high
        for each in studies
    ]
    assert sum(patients) < 30


def test_the_figures_are_not_biased(tool: ModuleType) -> None:
    studies = [tool.study(seed, tool.World(20, 80), repeats=2, resamples=0) for seed in range(40)]
    for name in ("auroc", "balanced_accuracy", "sensitivity", "specificity"):
        gaps = np.array([each.found[name].value - each.model[name] for each in studies])
        assert abs(gaps.mean()) < 3.5 * gaps.std(ddof=1) / 40**0.5
