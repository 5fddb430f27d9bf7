"""A rule that a validation part cannot keep is told before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.errors import UsageError
from evenray.core.run import Run
from evenray.core.types import Dataset
from evenray.data.scan import scan
from evenray.stages.line import run

from .conftest import Heard, job

RULE = "sensitivity(0.75)"  # 3 patients
SICK = 20  # of 100: 3 in a validation part, and in that of an outer fold 2


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("images")
    for patient in range(100):
        place = folder / ("sick" if patient < SICK else "well")
        place.mkdir(exist_ok=True)
        cv2.imwrite(str(place / f"p{patient:03d}.png"), rng.integers(20, 90, (28, 28)).astype(np.uint8))
    return folder


def planned(folder: Path, data: Dataset, rule: str = RULE, **recipe: object) -> Heard:
    heard, asked = Heard(), {"network": "vgg11(width=0.05)", "size": 28, "threshold": rule} | recipe
    work = job(folder, data.root, events=heard, **asked)
    work.given = data
    run(work, "plan")
    return heard


def _tagged(data: Dataset, last: int) -> Dataset:
    """The sick have the first finding, as many cases the other as `last` says."""
    told = [[label == "sick", i >= len(data) - last] for i, label in enumerate(data.cases["label"])]
    cases = data.cases.with_columns(pl.Series("findings", told, pl.List(pl.Boolean)), label=pl.lit(None, pl.String))
    facts = data.facts.model_copy(update={"task": "tag"})
    return replace(data, cases=cases, classes=("first", "last"), positive="", facts=facts)


@pytest.mark.parametrize(
    ("design", "rule", "said"),
    [
        ("split", "sensitivity(0.95)", "needs 19 patients of sick .* and there are 3"),
        ("nested", RULE, "needs 3 patients of sick .* and there are 2; .* Each of the 15 outer folds"),
    ],
)
def test_it_stops_before_the_plan(images: Path, tmp_path: Path, design: str, rule: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"{said}.*Nothing was trained"):
        planned(tmp_path / "run", scan(images), rule, design=design)
    assert "plan" not in Run(tmp_path / "run").ledger.stages


def test_so_does_a_rule_that_comes_with_a_remedy(images: Path, tmp_path: Path) -> None:
    remedy = f"threshold(rule='{RULE}')"
    with pytest.raises(UsageError, match="patients of sick"):
        planned(tmp_path / "run", scan(images), None, balance=("none", remedy), design="nested")  # type: ignore[arg-type]
    assert planned(tmp_path / "run", scan(images), "youden", balance=("none", remedy), design="nested")


def test_what_can_be_kept_goes_on(images: Path, tmp_path: Path) -> None:
    heard = planned(tmp_path / "run", scan(images), design="split")
    assert not any("refused" in line for line in heard.lines)
    assert planned(tmp_path / "run", scan(images), "specificity(0.9)", design="nested").done == ["split", "plan"]


def test_a_finding_of_which_it_cannot_is_told_by_name_and_the_others_go_on(images: Path, tmp_path: Path) -> None:
    heard = planned(tmp_path / "run", _tagged(scan(images), 60), design="nested")
    told = [line for line in heard.lines if "is refused for first:" in line]
    assert len(told) == 1
    with pytest.raises(UsageError, match="so of every finding"):
        planned(tmp_path / "other", _tagged(scan(images), 20), design="nested")
