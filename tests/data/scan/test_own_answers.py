"""What `evenray predict` wrote beside images: neither masks nor labels to learn from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts import RunFolder
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.data.tables.own_answers import are_own_answers
from evenray.learning.predict.about import About
from evenray.learning.predict.answers import Answers

RNG = np.random.default_rng(11)
NAMES = [f"{n:02d}_training" for n in range(12)]


def draw(path: Path, array: np.ndarray | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), RNG.integers(0, 255, (16, 16), dtype=np.uint8) if array is None else array)


def mask(size: int) -> np.ndarray:
    found = np.zeros((16, 16), np.uint8)
    found[2 : 2 + size, 2 : 2 + size] = 255
    return found


def answered(root: Path, name: str, columns: dict[str, list[object]]) -> None:
    flags = {"out_of_distribution": [None] * len(NAMES), "why": [None] * len(NAMES)}
    table = pl.DataFrame({"file": [f"{each}.png" for each in NAMES], "fragment": [""] * len(NAMES), **columns, **flags})
    about = About.__new__(About)
    Answers(table, pl.DataFrame(), about, "torch", "float32", len(NAMES)).write(root / name)


def images(root: Path) -> Path:
    for name in NAMES:
        draw(root / f"{name}.png")
    return root


@pytest.mark.parametrize("name", ["answers.csv", "answers.parquet"])
def test_masks_that_were_predicted_are_no_truth(tmp_path: Path, name: str) -> None:
    root = images(tmp_path / "images")
    answered(root, name, {"pixels_vessel": [4] * len(NAMES), "mask": [f"{each}_mask.png" for each in NAMES]})
    for each in NAMES:
        draw(root / f"answers_masks/{each}_mask.png", mask(2))
    found = scan(root)
    assert found.facts.task == "classify"
    assert len(found) == len(NAMES)
    assert found.cases["label"].null_count() == len(NAMES)
    told = {note.code: dict(note.values) for note in found.facts.notes}
    assert told["scan.answers_masks"] == {"count": len(NAMES), "folder": "answers_masks"}
    named = scan(root, wanted=Wanted(masks=str(root / "answers_masks")))
    assert named.facts.task == "segment"


def test_the_truth_beside_answers_is_read(tmp_path: Path) -> None:
    images(tmp_path / "images")
    answered(tmp_path, "answers.csv", {"pixels_vessel": [4] * len(NAMES), "mask": [""] * len(NAMES)})
    for each in NAMES:
        draw(tmp_path / f"masks/{each}.png", mask(6))
        draw(tmp_path / f"answers_masks/{each}.png", mask(2))
    found = scan(tmp_path)
    assert found.facts.task == "segment"
    assert [int((read_mask(found, n) == 1).sum()) for n in range(len(NAMES))] == [36] * len(NAMES)


def test_classes_that_were_predicted_are_no_labels(tmp_path: Path) -> None:
    root = images(tmp_path)
    decided = ["sick" if n % 2 else "well" for n in range(len(NAMES))]
    answered(root, "answers.csv", {"p_sick": [0.5] * len(NAMES), "decision": decided, "threshold": [0.5] * len(NAMES)})
    found = scan(root)
    assert found.cases["label"].null_count() == len(NAMES)
    assert "scan.answers" in {note.code for note in found.facts.notes}
    assert set(scan(root, labels=root / "answers.csv").classes) == {"sick", "well"}


def test_tables_of_others_are_none_of_ours(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_table("labels.csv", pl.DataFrame({"file": ["a.png"], "label": ["sick"], "why": ["seen"]}))
    (tmp_path / "broken.parquet").write_text("no parquet")
    (tmp_path / "list.json").write_text("[]")
    assert not any(
        are_own_answers(tmp_path / name) for name in ("labels.csv", "broken.parquet", "list.json", "absent.csv")
    )
