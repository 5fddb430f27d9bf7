"""The page and the methods name the model on a frozen trunk for what it is, and the images that it learnt from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evenray.core.artefacts.scores import BaselineScores, Gap, ScoresRecord
from evenray.core.run import Run
from evenray.reporting import report_page
from evenray.reporting.language import Language
from evenray.reporting.sections import methods
from evenray.reporting.view import RunView


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def _beside(run: Path, *names: str, weights: str | None = None, drawn: int | None = None) -> None:
    scores = ScoresRecord.read(run)
    figures = {metric: scores.parts["test"].metrics[metric] for metric in ("auroc", "auprc")}
    ahead = dict.fromkeys(figures, Gap(value=0.1, low=0.05, high=0.15, p=0.01))
    simple = tuple(
        BaselineScores(
            name=name, metrics=figures, network_ahead=ahead, **({"weights": weights, "drawn": drawn} if name == "trunk" else {})
        )
        for name in names
    )  # fmt: skip
    scores.model_copy(update={"baselines": simple}).write(run)


def _methods(run: Path) -> dict[str, str]:
    found = methods.context(RunView(run), Language("en"))
    assert found is not None
    return dict(found.paragraphs)


@pytest.mark.parametrize(
    ("weights", "drawn", "trunk", "images"),
    [
        ("vgg16_bn", None, "the frozen trunk of vgg16_bn", "all training images"),
        ("vgg16_bn", 812, "the frozen trunk of vgg16_bn", "812 training images, drawn at random"),
        (None, None, "a frozen trunk", "all training images, or a random part of them"),
    ],
)
def test_they_say_of_which_weights_and_from_how_many_images(
    run: Path, weights: str | None, drawn: int | None, trunk: str, images: str
) -> None:
    _beside(run, "thumbnail", "trunk", weights=weights, drawn=drawn)
    page = report_page(Run(run))
    assert f"logistic regression on the features of {trunk} learnt from {images}." in page
    told = _methods(run)
    assert (
        f"Logistic regression on the features of {trunk} was trained on {images}, and tested on the same" in told["en"]
    )
    assert (weights or "고정된 몸통 위의") in told["ko"]
    assert "Extremely randomised trees" in told["en"]


def test_without_one_all_are_trees(run: Path) -> None:
    _beside(run, "thumbnail")
    assert "Each learnt from the same training images" in report_page(Run(run))
    assert "Logistic regression" not in _methods(run)["en"]


def test_trees_that_are_not_there_are_not_told(run: Path) -> None:
    _beside(run, "trunk", weights="vgg16_bn")
    assert "Extremely randomised trees" not in _methods(run)["en"]
