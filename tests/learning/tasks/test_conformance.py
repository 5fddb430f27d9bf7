"""Every kind of label goes through the whole line, and every verb that reads a run answers for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenray.core.annotations import OF_IMAGES
from evenray.core.run import Run
from evenray.core.types import Dataset
from evenray.evidence.compare.runs import compare_runs
from evenray.learning.tasks import task_of, tasks
from evenray.metrics import measured_by_task
from evenray.reporting import report_page
from evenray.reporting.notebook import dataset_html, run_html
from evenray.verbs.ensemble import ensemble
from evenray.verbs.export import export
from evenray.verbs.predict import predict

from .conftest import KINDS

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_the_suite_knows_every_task(kind: str) -> None:
    assert set(tasks) & set(OF_IMAGES) <= set(KINDS)


def test_parts_hold_whole_patients_and_every_label(kind: str, whole_run: Callable[[str], Path]) -> None:
    data = Run(whole_run(kind)).dataset
    assert data is not None
    assert data.cases.group_by("patient").agg(pl.col("part").n_unique())["part"].max() == 1
    for name in ("train", "validation", "test"):
        assert all(members.any() for members in data.part(name).members.values())


def test_predictions_hold_what_metrics_need(kind: str, whole_run: Callable[[str], Path]) -> None:
    run = Run(whole_run(kind))
    predictions, data = run.predictions, run.dataset
    assert predictions is not None
    assert data is not None
    assert run.results is not None
    test = predictions.part("test")
    assert test.targets.tolist() == data.part("test").targets.tolist()
    assert ((test.probabilities >= 0) & (test.probabilities <= 1)).all()
    task = task_of(data.facts.task)
    found = measured_by_task(test, task.thresholds(run.results), resamples=0)
    told = run.results.parts["test"].metrics
    for name in ("auroc", "auprc", "brier", "sensitivity"):
        assert told[name].value == pytest.approx(found[name].value, nan_ok=True)
        assert told[name].low <= told[name].value <= told[name].high


def test_the_marks_are_learnt(kind: str, whole_run: Callable[[str], Path]) -> None:
    assert Run(whole_run(kind)).scores["test"].auroc.value > 0.7


def test_simple_models_stand_beside_the_network(kind: str, whole_run: Callable[[str], Path]) -> None:
    """With the network's lead in the figures of the main table: of findings, in their means."""
    run = Run(whole_run(kind))
    assert run.results is not None
    test = run.results.parts["test"].metrics
    assert {"histogram", "thumbnail"} <= {simple.name for simple in run.results.baselines}
    for simple in run.results.baselines:
        for metric, ahead in simple.network_ahead.items():
            assert ahead.value == pytest.approx(test[metric].value - simple.metrics[metric].value)
            assert ahead.low <= ahead.value <= ahead.high
            assert simple.metrics[metric].baseline == test[metric].baseline
        assert simple.metrics["auroc"].value > 0.6  # marks are brighter
    assert 'id="baselines"' in report_page(run, language="en")


def test_the_grid_has_every_remedy_and_a_choice(kind: str, whole_run: Callable[[str], Path]) -> None:
    if kind != "tag":
        pytest.skip("the comparison of classes is tested in evidence/compare")
    run = Run(whole_run(kind))
    assert run.grid is not None
    assert run.choice is not None
    assert run.grid["balance"].to_list() == ["none", "oversample"]
    assert run.grid.filter("chosen")["balance"].to_list() == [run.choice.balance]
    assert run.grid["auprc"].is_between(0, 1).all()


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_is_written(kind: str, language: str, whole_run: Callable[[str], Path]) -> None:
    run = Run(whole_run(kind))
    page = report_page(run, language=language)
    assert run.dataset is not None
    assert all(name in page for name in run.dataset.classes)
    sections = {"findings"} if kind == "tag" else {"ranking", "calibration", "practice"}
    assert all(f'<section id="{name}"' in page for name in sections)
    assert page.count('class="pending"') == (kind != "tag")  # where nothing was compared


def test_in_a_notebook_runs_and_data_show_themselves(kind: str, whole_run: Callable[[str], Path]) -> None:
    run = Run(whole_run(kind))
    assert run.dataset is not None
    assert all(name in dataset_html(run.dataset) for name in run.dataset.classes)
    assert "AUROC" in run_html(run)


def test_files_are_answered_as_cases_were(
    kind: str, drawn: Callable[[str], Dataset], whole_run: Callable[[str], Path]
) -> None:
    folder, data = whole_run(kind), drawn(kind)
    predictions = Run(folder).predictions
    assert predictions is not None
    test = predictions.part("test")
    files = data.cases.select("case", "file").join(test.table.select("case"), on="case", maintain_order="right")["file"]
    answers = predict(folder, [Path(data.root) / file for file in files])
    p = answers.table.select(f"p_{name}" for name in data.classes).to_numpy()
    assert np.abs(p - test.probabilities).max() < 1e-5
    said = [column for column in answers.table.columns if column.startswith("decision")]
    assert said == ([f"decision_{name}" for name in data.classes] if kind == "tag" else ["decision"])


def test_elsewhere_probabilities_move_and_decisions_by_rates_stay(
    kind: str, drawn: Callable[[str], Dataset], whole_run: Callable[[str], Path]
) -> None:
    folder, data = whole_run(kind), drawn(kind)
    images = [Path(data.root) / file for file in data.cases["file"][:20]]
    shares = {"tag": {"bar": 0.05}, "ordered": {"none": 0.9, "mild": 0.07, "severe": 0.03}, "classify": 0.05}
    here, there = (predict(folder, images, prevalence=shares[kind] if moved else None).table for moved in (False, True))  # type: ignore[arg-type]
    moved = "bar" if kind == "tag" else data.classes[-1]
    assert (there[f"p_{moved}"] < here[f"p_{moved}"]).all()
    if kind != "ordered":  # the rule is Youden's, which chooses a place on the ROC curve
        decision = f"decision_{moved}" if kind == "tag" else "decision"
        assert there[decision].equals(here[decision])
    if kind == "tag":
        assert there["p_square"].to_numpy() == pytest.approx(here["p_square"].to_numpy())


def test_what_is_exported_answers_alike(
    kind: str, drawn: Callable[[str], Dataset], whole_run: Callable[[str], Path], tmp_path: Path
) -> None:
    folder, data = whole_run(kind), drawn(kind)
    done = export(folder, tmp_path / "out", format="safetensors", lang="ko")
    assert {path.name for path in done.files} >= {"model.safetensors", "MODEL_CARD.md", "MODEL_CARD.ko.md"}
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert all(name in card for name in data.classes)
    images = [Path(data.root) / file for file in data.cases["file"][:4]]
    here, there = (predict(model, images).table for model in (folder, done.files[0]))
    assert here.equals(there)


def test_two_runs_are_compared_and_averaged(kind: str, whole_run: Callable[[str], Path], tmp_path: Path) -> None:
    first = whole_run(kind)
    other = Path(shutil.copytree(first, tmp_path / "other"))
    table = compare_runs([first, other]).table
    assert table["difference"].to_list() == [0.0, 0.0]
    assert table["tied"].all()
    assert compare_runs([first, other], "auroc").table["p_delong"].to_list() == [1.0, 1.0]
    both = ensemble([first, other], tmp_path / "both")
    one = Run(first).predictions
    assert both.predictions is not None
    assert one is not None
    assert both.predictions.probabilities == pytest.approx(one.probabilities)
    assert both.scores["test"].auroc.value == pytest.approx(Run(first).scores["test"].auroc.value)
    assert (tmp_path / "both" / "ensemble.html").is_file()


def test_ordered_classes_alone_have_the_agreement_of_grades(kind: str, whole_run: Callable[[str], Path]) -> None:
    metrics = Run(whole_run(kind)).results.parts["test"].metrics  # type: ignore[union-attr]
    assert ("weighted_kappa" in metrics) == (kind == "ordered")
    if kind == "ordered":
        assert (
            -1
            <= metrics["weighted_kappa"].low
            <= metrics["weighted_kappa"].value
            <= metrics["weighted_kappa"].high
            <= 1
        )
        assert metrics["grade_error"].value >= 0
