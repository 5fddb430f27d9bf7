"""Overlays of files are of the classes that prediction answers them with, at whatever thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
import torch

import evenray as er
from evenray.evidence.explain.answers import Answers, chance, focus_of
from evenray.learning import networks
from evenray.learning.predict.answers import as_input
from evenray.learning.predict.decoding import Item, Opened, Task, opened
from evenray.learning.predict.engines import load
from evenray.learning.predict.files import predict
from evenray.stages import file_overlays
from evenray.stages.file_overlays import Looked, called
from tests.serve.conftest import untrained

TASKS = ["tag", "segment", "detect"]
THERE = {"tag": "decision", "segment": "pixels", "detect": "boxes"}


def answered(root: Path, task: str, threshold: float) -> tuple[Path, Path, pl.DataFrame]:
    """A model, an image and what prediction answers."""
    source = untrained(root / "model", task, threshold=threshold)
    cv2.imwrite(str(root / "a.png"), np.random.default_rng(0).integers(0, 150, (40, 50), dtype=np.uint8))
    return source, root / "a.png", predict(load(source, device="cpu"), [Item("a", root / "a.png")]).table


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("threshold", [0.02, 0.25, 0.33, 0.4, 0.6, 0.98])
def test_the_classes_that_are_answered_are_shown(
    task: str, threshold: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one is called, the network looks once more for what only masks lack: a probability."""
    source, image, row = answered(tmp_path, task, threshold)
    about, looks = load(source, device="cpu").about, []
    own = file_overlays.chances
    monkeypatch.setattr(file_overlays, "chances", lambda *given: looks.append(given[2].tolist()) or own(*given))
    there = [name for name in about.classes if row[f"{THERE[task]}_{name}"][0] in ("present", *range(1, 40 * 50 + 1))]
    found = er.explain(source, files=image, output=tmp_path / "maps", jobs=1, device="cpu").table
    assert found["class"].to_list() == there or (not there and found.height == 1)
    assert found["probability"].is_between(0, 1).all()
    expected = {("tag", True): 0, ("tag", False): 0, ("detect", True): 0}
    assert len(looks) == expected.get((task, bool(there)), 1)
    if task != "segment" and there:
        start = {"tag": "p", "detect": "highest"}[task]
        assert found["probability"].to_list() == pytest.approx([row[f"{start}_{name}"][0] for name in there])
    if threshold == 0.02:
        assert there == list(about.classes)
    if threshold == 0.98:
        assert there == []


@pytest.mark.parametrize("task", TASKS)
def test_where_none_is_called_the_most_probable_one_is_shown(task: str, tmp_path: Path) -> None:
    source, image, row = answered(tmp_path, task, 0.98)
    about, network = load(source, device="cpu").about, networks.load(source / "model.safetensors").eval()
    one = opened(Task(Item("a", image), None, True), about.preparation)
    assert isinstance(one, Opened)
    assert called(row, about) == []
    looked = Looked(one, about, network, None)
    k, p = looked.nearest(row)
    each = [row[f"p_{name}"][0] for name in about.classes] if task == "tag" else []
    for target in (torch.tensor([0]), torch.tensor([1])) if task != "tag" else ():
        x = torch.from_numpy(as_input([one.decoded.pixels], about))
        each += chance(network, Answers(network)(x, focus_of(network, x, target)), target).tolist()
    assert (k, p) == (int(np.argmax(each)), pytest.approx(max(each), abs=1e-5))
    if task == "segment":
        assert looked.probabilities(row, [1, 0]) == pytest.approx(each[::-1], abs=1e-5)


def test_an_image_that_the_network_has_no_number_for_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, image, _ = answered(tmp_path, "tag", 0.33)
    other = tmp_path / "b.png"
    cv2.imwrite(str(other), np.zeros((40, 50), np.uint8))
    own = networks.Classifier.forward

    def forward(self: networks.Classifier, x: Any) -> Any:
        return own(self, x) * (float("nan") if not x.detach().any() else 1.0)

    monkeypatch.setattr(networks.Classifier, "forward", forward)
    done = er.explain(source, files=[image, other], output=tmp_path / "maps", jobs=1, device="cpu")
    assert done.table["file"].unique().to_list() == [str(image)]
    assert "NaN or infinity" in done.rejected.row(by_predicate=pl.col("file") == str(other))[1]
