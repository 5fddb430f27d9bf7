"""Overlays of files are of the classes that prediction answers them with, at whatever thresholds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.learning import networks
from evenray.learning.predict.decoding import Item, Opened, Task, opened
from evenray.learning.predict.engines import load
from evenray.learning.predict.files import predict
from evenray.stages.file_overlays import called
from tests.serve.conftest import untrained


@pytest.mark.parametrize("threshold", [0.02, 0.25, 0.33, 0.4, 0.98])
def test_of_masks_the_classes_that_have_pixels_are_shown(threshold: float, tmp_path: Path) -> None:
    source = untrained(tmp_path / "model", "segment", threshold=threshold)
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 150, (40, 50), dtype=np.uint8))
    item, model = Item("a", tmp_path / "a.png"), load(source, device="cpu")
    [row] = predict(model, [item]).table.to_dicts()
    one = opened(Task(item, None, True), model.about.preparation)
    assert isinstance(one, Opened)
    network = networks.load(source / "model.safetensors").eval()
    found = called(one, model.about, network)
    marked = [k for k, name in enumerate(model.about.classes) if row[f"pixels_{name}"] > 0]
    assert [k for k, _ in found] == marked or (not marked and len(found) == 1)
    assert all(0 <= p <= 1 for _, p in found)
    if threshold < 0.3:
        assert marked
        assert max(p for _, p in found) < 0.5  # by which none would be called
