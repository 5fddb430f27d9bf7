"""Stages are skipped when nothing changed and redone when what they depend on did."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.lock import alone
from evenray.core.errors import DataError, UsageError
from evenray.data.scan import load
from evenray.stages.line import run

from .conftest import STAGES, Heard, job

Go = Callable[..., Heard]
SHORT: dict[str, Any] = {"epochs": 1, "choose": {"members": 1}, "explained": 2}


@pytest.fixture(scope="module")
def short(tiny_archive: Path, tiny_recipe: dict[str, Any], made_once: Callable[..., Path]) -> Path:
    """The shortest run, of which much is done again and again."""
    return made_once("short", lambda folder: run(job(folder, tiny_archive, **(tiny_recipe | SHORT)), "explain"))


def test_nothing_is_done_twice(copied: Path, go: Go) -> None:
    before = {path: path.read_bytes() for path in copied.rglob("*.parquet")}
    assert go(copied).done == []
    assert {path: path.read_bytes() for path in copied.rglob("*.parquet")} == before


@pytest.mark.parametrize(
    ("change", "done"),
    [
        ({"threshold": "fixed(0.3)"}, ["evaluate", "explain"]),
        ({"tta": "dense | multicrop(grid=2)"}, ["evaluate", "explain"]),
        ({"scale_jitter": (1.1, 1.5)}, ["plan", "compare", "train", "evaluate", "explain"]),
        ({"metric": "auroc"}, ["plan", "compare", "train", "evaluate", "explain"]),
        ({"test": 0.3}, ["split"]),  # the archive's own parts are kept, so nothing after it changes
        ({"contrast": "equalize"}, ["plan", "compare", "train", "evaluate", "explain"]),
        ({"balance": "weighted"}, ["plan", "compare", "train", "evaluate", "explain"]),
        ({"epochs": 2}, ["plan", "compare", "train", "evaluate", "explain"]),
        ({"positive": "0"}, list(STAGES[:-1])),
        ({"value_range": (0, 200)}, list(STAGES[:-1])),
    ],
)
def test_a_change_of_the_recipe_redoes_what_depends_on_it(
    short: Path, tmp_path: Path, go: Go, change: dict[str, Any], done: list[str]
) -> None:
    copied, asked = Path(shutil.copytree(short, tmp_path / "run")), SHORT | change
    assert go(copied, **asked).done == done
    assert go(copied, **asked).done == []


def test_the_report_is_written_in_the_language_asked_for(copied: Path, go: Go) -> None:
    assert go(copied, "report", lang="ko").done == ["report"]
    assert 'lang="ko"' in (copied / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "done"),
    [("findings.parquet", ["audit"]), ("split.parquet", ["split"]), ("choice.json", ["compare"]), ("scores.json", ["evaluate"]),
     ("contrast/index.json", ["explain"])],
)  # fmt: skip
def test_an_artefact_that_is_gone_is_made_again(copied: Path, go: Go, name: str, done: list[str]) -> None:
    before = (copied / name).read_bytes()
    (copied / name).unlink()
    assert go(copied).done == done
    assert (copied / name).read_bytes() == before


def test_an_artefact_that_was_meddled_with_is_made_again(copied: Path, go: Go) -> None:
    model = (copied / "model.safetensors").read_bytes()
    (copied / "model.safetensors").write_bytes(b"x" + model[1:])
    assert go(copied).done == ["train"]
    assert (copied / "model.safetensors").read_bytes() == model


def test_files_that_changed_are_scanned_again(go: Go, tiny_archive: Path, tmp_path: Path) -> None:
    data, folder = tmp_path / "tiny.npz", tmp_path / "run"
    shutil.copy2(tiny_archive, data)
    go(folder, "split", data=data)
    os.utime(data, (1, 1))
    assert go(folder, "split", data=data).done == ["scan"]  # the same table as before, so audit and split stand


def test_a_single_cell_leaves_no_grid_of_an_earlier_recipe(copied: Path, go: Go) -> None:
    go(copied, "compare", contrast="equalize")
    assert not (copied / "grid.parquet").exists()
    choice = json.loads((copied / "choice.json").read_text())
    assert (choice["contrast"], choice["balance"], choice["why"]["code"]) == ("equalize", "none", "plan.asked")


@pytest.mark.parametrize("until", STAGES[:3])
def test_a_stage_by_its_own_name_stops_there(tmp_path: Path, go: Go, until: str) -> None:
    assert tuple(go(tmp_path / "run", until).done) == STAGES[: STAGES.index(until) + 1]


def test_a_finished_run_needs_its_images_no_more(copied: Path, go: Go, tiny_archive: Path, tmp_path: Path) -> None:
    data = tmp_path / "mounted" / "tiny.npz"
    data.parent.mkdir()
    shutil.copy2(tiny_archive, data)
    _remember(copied, data)
    go(copied, data=data)
    shutil.rmtree(data.parent)
    told = go(copied, data=data)
    assert told.done == []
    assert "is not there" in told.lines[0]
    assert go(copied, "evaluate", data=data, threshold="fixed(0.3)").done == ["evaluate"]
    with pytest.raises(DataError, match="There is no"):
        go(copied, data=data, value_range=(0, 100))


@pytest.mark.parametrize("until", ["scan", "split", "explain"])
def test_a_run_is_not_replaced_by_one_of_other_images(
    until: str, copied: Path, go: Go, tiny_archive: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "tiny.npz"
    other.parent.mkdir()
    shutil.copy2(tiny_archive, other)
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="holds a run of"):
        go(copied, until, data=other)
    assert before == {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}


def test_images_that_were_moved_are_those_of_the_run(copied: Path, go: Go, tiny_archive: Path, tmp_path: Path) -> None:
    moved, link = tmp_path / "moved" / "tiny.npz", tmp_path / "tiny.npz"
    moved.parent.mkdir()
    shutil.copy2(tiny_archive, moved)
    link.symlink_to(moved)
    _remember(copied, tmp_path / "gone.npz")
    assert go(copied, data=moved).done == []
    assert load(RunFolder(copied)).root == str(moved.parent)
    assert go(copied, data=link).done == []


def _remember(folder: Path, data: Path) -> None:
    """Let a run be one of other data."""
    asked = json.loads((folder / "recipe.json").read_text())
    (folder / "recipe.json").write_text(json.dumps(asked | {"data": str(data)}))


def test_a_class_named_in_brackets_is_told_as_it_is(copied: Path, go: Go, tmp_path: Path) -> None:
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    for label in ("[sick]", "[/bold]well"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(4):
            cv2.imwrite(
                str(tmp_path / "data" / label / f"{number}.png"), rng.integers(0, 255, (28, 28), dtype=np.uint8)
            )
    told = go(tmp_path / "run", "split", data=tmp_path / "data")
    assert any("[sick] 4" in line for line in told.lines)


def test_the_rule_that_a_remedy_names_is_used_unless_another_is_asked_for(copied: Path, go: Go) -> None:
    for rule, used in ((None, "prevalence"), ("youden", "youden"), ("fixed(0.4)", "fixed(0.4)")):
        go(copied, "evaluate", balance="threshold", contrast="none", threshold=rule)
        assert json.loads((copied / "scores.json").read_text())["threshold_rule"] == used


def test_large_sets_are_compared_on_a_share_with_every_class(
    tmp_path: Path, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules["evenray.learning.plan.comparison"].COMPARED, "standard", (30, 28))
    go(tmp_path / "run", "compare")
    for cell in (tmp_path / "run" / "compare").glob("*.parquet"):
        labels = pl.read_parquet(cell)["label"]
        assert 26 <= len(labels) <= 34
        assert 8 <= (labels == "1").sum() <= 12


def test_a_finished_training_leaves_no_checkpoints_of_former_recipes(copied: Path, go: Go) -> None:
    before = {path.name for path in (copied / "checkpoints").iterdir()}
    go(copied, "train", epochs=1)
    after = {path.name for path in (copied / "checkpoints").iterdir()}
    assert len(after) == len(before) == 1
    assert after != before


def test_a_folder_in_which_another_run_works_is_left_alone(copied: Path, go: Go) -> None:
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    with alone(copied), pytest.raises(DataError, match=r"is in use: process \d+ on"):
        go(copied, epochs=1)
    assert {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()} == before


def test_a_pattern_of_patients_that_is_in_no_path_is_told_on_the_screen_alone(tmp_path: Path, go: Go) -> None:
    rng = np.random.default_rng(0)
    for name in ("sick/Kim_1.png", "sick/Lee_2.png", "well/Choi_3.png", "well/Park_4.png"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 255, (28, 28), dtype=np.uint8))
    told = go(tmp_path / "run", "audit", data=tmp_path / "data", patient="person[0-9]+")
    said = [line for line in told.lines if "--patient" in line]
    assert "0 of 4" in said[0]
    assert "sick/Kim_1.png" in said[0]
    assert "Kim" not in (tmp_path / "run" / "dataset.json").read_text()  # a path may name a patient
    told = go(tmp_path / "run", "audit", data=tmp_path / "data", patient="[A-Z][a-z]+")
    assert not [line for line in told.lines if "pattern" in line]
