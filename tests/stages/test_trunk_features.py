"""Which images a frozen trunk at hand looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from evenray.core.artefacts import RunFolder
from evenray.learning import networks
from evenray.learning.networks.importing import import_weights
from evenray.learning.plan.starts import Start, look
from evenray.stages import trunk_features as stage
from evenray.stages.artefacts import SPLIT_CASES
from evenray.stages.tools import Tools


@pytest.fixture
def price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """Weights at hand, and what one look of their trunk costs."""
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    spec = "vgg11_bn(head=levels, width=0.05)"
    save_file(networks.build(spec, classes=2, channels=1, size=28, seed=3).state(), tmp_path / "w.safetensors")
    weight = import_weights(tmp_path / "w.safetensors", name="drawn", network=spec, size=28, mean=[0.5], std=[0.25])
    return look(Start(weight, weight.network, 112, "frozen"))


def test_training_images_are_drawn_where_it_cannot_see_all(
    price: float, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = SPLIT_CASES.read(RunFolder(finished_run))
    train, test = (dataset.part(part).cases["case"].to_list() for part in ("train", "test"))
    monkeypatch.setattr(stage, "FEWEST", 10)
    for work, drawn in ((len(train) + len(test) + 0.5, None), (len(test) + 20.5, 20)):
        monkeypatch.setattr(stage, "WORK", work * price)
        found = stage.trunk_features(dataset, test, 1, 0, Tools(tmp_path))
        assert found is not None
        assert (found.weights, found.drawn) == ("drawn", drawn)
        assert len(set(train) & set(found.cases)) == (drawn or len(train))
        assert set(test) <= set(found.cases)
    monkeypatch.setattr(stage, "WORK", (len(test) + 5.5) * price)
    assert stage.trunk_features(dataset, test, 1, 0, Tools(tmp_path)) is None


def test_where_all_are_asked_for_each_is_looked_at_once(
    price: float, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a nested cross-validation, which tests on every case."""
    dataset = SPLIT_CASES.read(RunFolder(finished_run))
    every = dataset.cases["case"].to_list()
    monkeypatch.setattr(stage, "WORK", (len(every) + 0.5) * price)
    found = stage.trunk_features(dataset, every, 1, 0, Tools(tmp_path))
    assert found is not None
    assert (list(found.cases), found.drawn) == (every, None)
    own = stage.trunk_features(dataset, dataset.part("test").cases["case"].to_list(), 1, 0, Tools(tmp_path))
    assert own is not None
    np.testing.assert_array_equal(found.of(own.cases), own.features)
    monkeypatch.setattr(stage, "WORK", (len(every) - 0.5) * price)
    assert stage.trunk_features(dataset, every, 1, 0, Tools(tmp_path)) is None
