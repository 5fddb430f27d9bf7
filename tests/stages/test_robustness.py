"""The stage robustness: its clean figures are those of the evaluation, its losses follow from its figures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenray.core.artefacts.robustness import ALL, RobustnessRecord
from evenray.core.run import Run
from evenray.images.corruptions import CORRUPTIONS, GRADES
from evenray.reporting import report_page
from evenray.stages.line import run
from evenray.verbs.robustness import robustness

from .conftest import Heard, job

FIGURES = ("auroc", "balanced_accuracy")


@pytest.fixture(scope="module")
def measured(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run with both contrasts measured."""
    folder = Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("robust") / "run"))
    other = "equalize" if Run(folder).choice.contrast == "none" else "none"  # type: ignore[union-attr]
    robustness(folder, against=other, jobs=1)
    return folder


def record_of(folder: Path) -> RobustnessRecord:
    found = Run(folder).robustness
    assert found is not None
    return found


def test_the_clean_figures_are_those_of_the_evaluation(measured: Path) -> None:
    run, record = Run(measured), record_of(measured)
    assert run.choice is not None
    assert record.networks[0].contrast == run.choice.contrast
    assert {network.contrast for network in record.networks} == {"none", "equalize"}
    for metric in FIGURES:
        clean, told = record.networks[0].clean[metric], run.scores["test"].estimates[metric]
        assert clean.value == pytest.approx(told.value)
    assert (record.part, record.cases) == ("test", 30)


def test_losses_are_the_clean_figure_less_the_mean_of_the_grades(measured: Path) -> None:
    record = record_of(measured)
    for network in record.networks:
        assert len(network.degraded) == GRADES * len(CORRUPTIONS)
        for metric in FIGURES:
            means = {
                name: np.mean([one.figures[metric].value for one in network.degraded if one.corruption == name])
                for name in CORRUPTIONS
            }
            for name, mean in means.items():
                assert network.lost[name][metric].value == pytest.approx(network.clean[metric].value - mean)
            assert network.lost[ALL][metric].value == pytest.approx(
                network.clean[metric].value - np.mean(list(means.values()))
            )
    own, other = record.networks
    for name, found in record.steadier.items():
        for metric in FIGURES:
            gap = other.lost[name][metric].value - own.lost[name][metric].value
            assert found[metric].value == pytest.approx(gap)
            assert found[metric].low <= gap <= found[metric].high


def test_a_corruption_costs_what_it_hides(measured: Path) -> None:
    """The classes differ by a square that is brighter by a sixth of the range: drawn together by four fifths and noisy it is lost."""
    record = record_of(measured)
    assert any(network.lost["noise"]["auroc"].value > 0.02 for network in record.networks)
    assert any(
        abs(one.figures["auroc"].value - record.networks[0].clean["auroc"].value) > 0
        for one in record.networks[0].degraded
    )


def test_it_is_not_done_again_and_gives_the_same_bytes(measured: Path, tmp_path: Path) -> None:
    heard, other = Heard(), record_of(measured).networks[1].contrast
    robustness(measured, against=other, jobs=1, listener=heard)
    assert heard.done == []
    before = (measured / "robustness.json").read_bytes()
    again = Path(shutil.copytree(measured, tmp_path / "again"))
    (again / "robustness.json").unlink()
    robustness(again, against=other, jobs=1)
    assert (again / "robustness.json").read_bytes() == before


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_report_has_its_section(measured: Path, language: str) -> None:
    page = report_page(Run(measured), language=language)
    for name in ("uncertainty", "robustness"):
        assert f'<section id="{name}"' in page
    assert not re.search(r"\b(corruption|robustness|uncertainty)\.(?!json|html|py)[a-z_]+", page)
    assert (measured / "robustness.html").is_file()


def test_thorough_runs_have_it_in_their_report(tiny_archive: Path, tiny_recipe: dict[str, Any], tmp_path: Path) -> None:
    recipe = tiny_recipe | {
        "contrast": "none",
        "epochs": 1,
        "effort": "thorough",
        "choose": {"members": 1},
        "design": "split",
    }
    run(job(tmp_path / "run", tiny_archive, **recipe))
    record = record_of(tmp_path / "run")
    assert [network.contrast for network in record.networks] == ["none"]
    assert record.steadier == {}
    assert '<section id="robustness"' in (tmp_path / "run" / "report.html").read_text()
