"""Findings by a rule that makes a promise: who has too few patients for it is called otherwise, and the others as asked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.run import Run
from evenray.core.types import Predictions
from evenray.learning.tasks.finding_scores import summarise_findings
from evenray.reporting import report_page

NAMES, RULE = ("common", "rare"), "sensitivity(0.9)"  # 9 patients of a finding
PRIORS = [np.array([0.5, 0.5]), np.array([0.9, 0.1])]


def _predictions(cases: int, rare: int, seed: int, **columns: object) -> Predictions:
    """Half of the cases have the common finding, `rare` of them the other; both are told well, but not always."""
    rng = np.random.default_rng(seed)
    has = np.column_stack([np.arange(cases) % 2 == 0, np.arange(cases) < rare])
    told = np.clip(np.where(has, 0.7, 0.3) + rng.normal(0, 0.2, has.shape), 0.01, 0.99)
    table = {"case": [f"{seed}-{i}" for i in range(cases)], "patient": [f"{seed}-{i}" for i in range(cases)]}
    for k in range(2):
        table |= {f"target_{k}": has[:, k], f"logit_{k}": np.log(told[:, k] / (1 - told[:, k])), f"p_{k}": told[:, k]}
    return Predictions(pl.DataFrame(table).with_columns(**columns), NAMES, "", "tag")


def _summarised(found: dict[str, Predictions], refused: Collection[str] = ()) -> dict[str, ScoresRecord]:
    return dict(summarise_findings(found, RULE, PRIORS, [None, None], refused=refused).findings)


def test_a_finding_with_too_few_patients_is_refused_and_the_others_are_called_by_the_rule() -> None:
    found = _summarised({"validation": _predictions(60, 6, 0), "test": _predictions(60, 6, 1)})
    assert found["common"].threshold_rule == RULE
    assert RULE not in found["common"].refused_points
    assert (found["rare"].threshold_rule, found["rare"].threshold) == ("prevalence", 0.1)
    assert found["rare"].refused_points[0] == RULE
    assert found["rare"].parts["test"].metrics["sensitivity"].value > 0.5


def test_who_knows_the_prevalence_alone_is_the_same_for_each_finding_and_their_means() -> None:
    found = {"validation": _predictions(60, 12, 0), "test": _predictions(60, 12, 1)}
    scores = summarise_findings(found, "youden", PRIORS, [np.array([0.95, 0.05]), None])
    each = [record.parts["test"].metrics for record in scores.findings.values()]
    for name in ("brier", "log_loss", "auprc"):
        assert scores.parts["test"].metrics[name].baseline == pytest.approx(
            np.mean([one[name].baseline for one in each])
        )
    assert each[0]["brier"].baseline == pytest.approx(0.05 * 0.95)


def test_it_is_refused_too_where_a_single_fold_has_too_few() -> None:
    def folds(rare: dict[int, int], seed: int) -> Predictions:
        each = [
            _predictions(60, n, seed + fold, repeat=1, fold=fold, prior_0=0.5, prior_1=0.1) for fold, n in rare.items()
        ]
        return Predictions(pl.concat([one.table for one in each]), NAMES, "", "tag")

    enough = {"validation": _predictions(60, 12, 0), "test": folds({1: 6, 2: 6}, 10)}
    kept, refused = (_summarised(enough | {"folds": folds(rare, 20)}) for rare in ({1: 12, 2: 12}, {1: 12, 2: 6}))
    assert {name: one.threshold_rule for name, one in kept.items()} == dict.fromkeys(NAMES, RULE)
    assert {name: one.threshold_rule for name, one in refused.items()} == {"common": RULE, "rare": "prevalence"}
    assert refused["rare"].refused_points[0] == RULE


def test_what_was_refused_before_stays_refused() -> None:
    """An external test has the validation part of the model for use alone, not those of the folds."""
    found = _summarised({"validation": _predictions(60, 12, 0), "test": _predictions(60, 12, 1)}, refused=["rare"])
    assert {name: one.threshold_rule for name, one in found.items()} == {"common": RULE, "rare": "prevalence"}


def test_the_page_names_those_that_were_refused(whole_run: Callable[[str], Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole_run("tag"), tmp_path / "run"))
    scores = ScoresRecord.read(folder)
    said = "has too few patients for what youden promises: bar."
    assert said not in report_page(Run(folder))
    refused = scores.findings["bar"].model_copy(update={"threshold_rule": "prevalence", "refused_points": ("youden",)})
    scores.model_copy(update={"findings": {**scores.findings, "bar": refused}}).write(folder)
    assert said in report_page(Run(folder))
