"""evaluate --on: what it prints, where it writes, and what it asks about."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from .conftest import Cli, one_sentence


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    """Folders of classes that are called by words, where the run's are numbers; a third class that it never saw."""
    rng = np.random.default_rng(4)
    for label, count in (("well", 30), ("sick", 30), ("other", 6)):
        folder = tmp_path / "harbour" / label
        folder.mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 90, (28, 28), dtype=np.uint8)
            pixels[8:18, 8:18] += 60 * (label == "sick")
            cv2.imwrite(str(folder / f"{number}.png"), pixels)
    return tmp_path / "harbour"


def test_classes_of_other_names_are_asked_about_and_mapped(cli: Cli, run: Path, harbour: Path) -> None:
    asked = cli("evaluate", run, "--on", harbour, "-j", "1")
    assert asked.code == 1
    assert "'other' (6 cases), 'sick' (30 cases), 'well' (30 cases), and the run tells 0, 1 apart" in asked.err
    assert "--column 'label=folder1:other=0,sick=1'" in asked.err
    column = "label=folder1:well=0,sick=1,other="
    ended = cli("evaluate", run, "--on", harbour, "--column", column, "--lang", "ko", "-j", "1", "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["name"], told["cases"], told["unlabelled"]) == ("harbour", 60, 6)
    assert {"auroc", "sensitivity", "calibration_slope"} <= set(told["changes"])
    page = Path(told["report"])
    assert page == run / "external" / "harbour" / "external.html"
    assert "외부 시험" in page.read_text(encoding="utf-8")
    assert "외부" in ended.err


def test_an_archive_under_a_name_and_the_images_of_the_run_itself(
    cli: Cli, run: Path, tiny_archive: Path, tmp_path: Path
) -> None:
    same = cli("evaluate", run, "--on", tiny_archive, "-j", "1")
    assert same.code == 1
    assert "114 of the 114 images" in same.err
    assert "(84 that it learnt from, 30 of its test part)" in same.err
    with np.load(tiny_archive) as arrays:
        darker = {name: each if "labels" in name else (each * 0.8).astype(np.uint8) for name, each in arrays.items()}
        moved = {name: each if "labels" in name else np.roll(each, 1, axis=1) for name, each in arrays.items()}
    np.savez(tmp_path / "darker.npz", **darker)
    near = cli("evaluate", run, "--on", tmp_path / "darker.npz", "-j", "1")
    assert near.code == 1
    assert "114 of either changed a little" in near.err
    np.savez(tmp_path / "moved.npz", **moved)
    ended = cli("evaluate", run, "--on", tmp_path / "moved.npz", "-o", "rolled", "-j", "1")
    assert ended.code == 0, ended.err
    assert (run / "external" / "rolled" / "external.json").is_file()
    assert "external AUROC" in ended.err
    both = cli("compare-runs", run, shutil.copytree(run, tmp_path / "twin"), "--on", "rolled", "--json")
    assert json.loads(both.out)["on"] == "rolled"


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("--recalibrate",), "give it with --on", 2),
        (("--on", "gone"), "There is no 'gone'", 1),
        (("--on", "x", "--threshold", "youden"), "threshold is a setting of the run", 2),
    ],
)
def test_mistakes_are_one_sentence(cli: Cli, run: Path, arguments: tuple[str, ...], said: str, code: int) -> None:
    one_sentence(cli("evaluate", run, *arguments), said, code)
