"""Prediction of files: the same numbers as the evaluation, whatever cannot be read set aside, memory flat."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.learning.predict.about import About
from evenray.learning.predict.engines import Model, load
from evenray.learning.predict.files import Answers, items, predict
from evenray.scale import isolated


@pytest.fixture(scope="module")
def model(finished_run: Path) -> Model:
    return load(finished_run, device="cpu")


def changed(about: About, **fields: object) -> About:
    return about.model_copy(update=fields)


@pytest.fixture(scope="module")
def answers(model: Model, tiny_archive: Path) -> Answers:
    return predict(model, items([tiny_archive]))


@pytest.fixture(scope="module")
def pictures(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test part of the archive as files, one of them broken."""
    folder = tmp_path_factory.mktemp("pictures")
    with np.load(tiny_archive) as archive:
        for number, picture in enumerate(archive["test_images"]):
            cv2.imwrite(str(folder / f"{number:02d}.png"), picture)
    (folder / "11_broken.png").write_bytes((folder / "11.png").read_bytes()[:200])
    (folder / "notes.txt").write_text("no image")
    return folder


def test_the_answers_are_those_of_the_evaluation(answers: Answers, finished_run: Path) -> None:
    evaluated = pl.read_parquet(finished_run / "predictions.parquet").filter(pl.col("part") == "test")
    found = answers.table.filter(pl.col("fragment").str.starts_with("test/"))
    joined = evaluated.with_columns(fragment=pl.col("case").str.split("#").list.last()).join(found, on="fragment")
    assert joined.height == evaluated.height
    for k, name in enumerate(answers.about.classes):
        # bfloat16 rounds to a 256th, and batches are cut elsewhere
        assert np.abs((joined[f"p_{k}"] - joined[f"p_{name}"]).to_numpy()).max() < 0.01


def test_every_image_of_an_archive_in_order(answers: Answers) -> None:
    fragments = answers.table["fragment"].to_list()
    assert len(fragments) == 114
    assert [f for f in fragments if f.startswith("val/")] == [f"val/{i}" for i in range(24)]
    assert answers.rejected.height == 0


def test_the_decision_is_the_threshold(answers: Answers) -> None:
    about = answers.about
    assert about.threshold is not None
    table = answers.table
    called = table["decision"] == about.positive
    assert called.to_list() == (table[f"p_{about.positive}"] >= about.threshold).to_list()
    assert np.allclose(table.select(f"p_{name}" for name in about.classes).sum_horizontal().to_numpy(), 1)


def test_what_cannot_be_read_is_set_aside(model: Model, pictures: Path) -> None:
    ticked: list[int] = []
    found = predict(model, items([pictures]), map=isolated(2), tick=ticked.append)
    assert found.table["file"].to_list() == [f"{i:02d}.png" for i in range(30)]
    assert found.rejected["file"].to_list() == ["11_broken.png"]
    assert "truncated" in found.rejected["reason"][0]
    assert sum(ticked) == 31


def test_what_the_network_has_no_number_for_is_set_aside_and_called_nothing(model: Model, pictures: Path) -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        logits = model.run(x)
        logits[1, 0], logits[2, 1] = np.nan, np.inf
        return logits

    files = [one for one in items([pictures]) if "broken" not in one.file]
    found, usual = (predict(each, files) for each in (replace(model, run=broken), model))
    assert found.rejected["file"].to_list() == ["01.png", "02.png"]
    assert all("answers with NaN or infinity" in reason for reason in found.rejected["reason"])
    assert found.table.equals(usual.table.filter(~pl.col("file").is_in(["01.png", "02.png"])))


def test_what_there_is_nothing_to_open_of_is_set_aside(
    model: Model, pictures: Path, tmp_path: Path, shut_folders: None
) -> None:
    shutil.copytree(pictures, tmp_path / "a")
    (tmp_path / "shut").mkdir()
    for name in ("gone.png", "gone.npz"):
        (tmp_path / name).symlink_to("nowhere")
    found = predict(model, items([tmp_path]))
    assert found.table.height == len(list(pictures.glob("*.png"))) - 1
    assert set(found.rejected.rows()) - {row for row in found.rejected.rows() if "broken" in row[0]} == {
        ("gone.npz", "is a link to a file that does not exist"),
        ("gone.png", "is a link to a file that does not exist"),
        ("shut", "is a folder that cannot be opened: Permission denied"),
    }


def test_files_and_archives_alike(model: Model, pictures: Path, answers: Answers) -> None:
    found = predict(model, items([pictures]))
    test = answers.table.filter(pl.col("fragment").str.starts_with("test/"))
    assert np.abs((found.table["p_1"] - test["p_1"]).to_numpy()).max() < 0.01


def test_two_threads_with_one_model_get_the_same_answers(model: Model, tiny_archive: Path, answers: Answers) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: predict(model, items([tiny_archive])), range(2)))
    assert found[0].table.equals(found[1].table)
    assert found[0].table.equals(answers.table)


def test_none_that_can_be_read(model: Model, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    found = predict(model, items([tmp_path]))
    assert found.table.height == 0
    assert found.table.columns[:4] == ["file", "fragment", "p_0", "p_1"]
    assert found.rejected.height == 1


def test_another_prevalence_in_closed_form(model: Model, tiny_archive: Path, answers: Answers) -> None:
    rare = predict(model, items([tiny_archive]), prevalence=0.01)
    before = 20 / 60 if answers.about.positive == "1" else 40 / 60
    odds = answers.table[f"p_{answers.about.positive}"] / (1 - answers.table[f"p_{answers.about.positive}"])
    expected = odds * (0.01 / 0.99) / (before / (1 - before))
    expected = expected / (1 + expected)
    assert np.abs((rare.table[f"p_{answers.about.positive}"] - expected).to_numpy()).max() < 2e-3
    # Youden's point is a place on the ROC curve: the same cases stay on its sides.
    assert (rare.table["decision"] == answers.table["decision"]).mean() > 0.98
    assert rare.about.threshold is not None
    assert answers.about.threshold is not None
    assert rare.about.threshold < answers.about.threshold


def test_a_threshold_given_as_a_probability_stays(model: Model) -> None:
    fixed = changed(model.about, rule="cost(sick=500)", threshold=0.3)
    assert fixed.at(0.01).threshold == 0.3
    assert changed(fixed, rule="prevalence").at(0.01).threshold == 0.01
    with pytest.raises(UsageError, match="expected each above 0"):
        fixed.at(1.5)


@pytest.mark.parametrize(
    ("rule", "moves"),
    [("youden", True), ("sensitivity(0.95)", True), ("specificity(0.95)", True), ("prevalence", True), ("accuracy", False),
     ("cost(sick=5)", False), ("net_benefit", True), ("net_benefit(at=0.3)", False), ("fixed(0.3)", False)],
)  # fmt: skip
def test_the_guide_says_which_thresholds_move_under_prevalence(model: Model, rule: str, moves: bool) -> None:
    assert (changed(model.about, rule=rule, threshold=0.3).at(0.01).threshold != 0.3) is moves
    guide = (Path(__file__).parents[3] / "docs/guides/deploying.md").read_text(encoding="utf-8")
    words = rule.split("0.")[0].split("(sick")[0]  # as the guide's table begins the name of the rule
    row = next(
        line
        for line in guide.splitlines()
        if line.startswith("| `") and f"`{words}{'' if '(' in rule else '`'}" in line
    )
    assert ("| stays |" in row) is not moves


@pytest.mark.parametrize(
    "rule", [" youden", "youden()", "prevalence()", " prevalence", "net_benefit()", "net_benefit(at=None)"]
)
def test_a_rule_is_known_however_it_is_written(model: Model, rule: str) -> None:
    plain = {"youden": "youden", "prevalence": "prevalence", "net_benefit": "youden"}[rule.strip().split("(")[0]]
    about = changed(model.about, threshold=0.3)
    assert changed(about, rule=rule).at(0.01).threshold == changed(about, rule=plain).at(0.01).threshold != 0.3


@pytest.mark.parametrize("threshold", [np.nextafter(1.0, 2), 1.0, 0.0])
def test_a_threshold_that_calls_nobody_or_everybody_stays(model: Model, threshold: float) -> None:
    """Probabilities of 1 and 0 move a little with the prevalence, and are called as before."""
    sure = changed(model.about, rule="specificity(1.0)", threshold=float(threshold))
    assert sure.at(0.9).threshold == threshold
    assert sure.at(0.001).threshold == threshold


def test_a_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no image"):
        items([tmp_path])
    with pytest.raises(DataError, match="There is no"):
        items([tmp_path / "nowhere"])


def test_no_model(tmp_path: Path, finished_run: Path) -> None:
    with pytest.raises(DataError, match=r"There is no '.*model\.safetensors'"):
        load(tmp_path)
    (tmp_path / "model.h5").touch()
    with pytest.raises(UsageError, match="is no model"):
        load(tmp_path / "model.h5")
    with pytest.raises(DataError, match="There is no"):
        load(tmp_path / "model.onnx")
