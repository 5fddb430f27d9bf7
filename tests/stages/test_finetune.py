"""What of trained weights a run changes: all, the last blocks, or the head alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch

from evenray.core.errors import UsageError
from evenray.learning import networks

from .conftest import Heard

Go = Callable[..., Heard]
NETWORK = "vgg11(head=average, width=0.05)"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "trained.safetensors"
    networks.save(networks.build(NETWORK, classes=2, channels=1, size=28, seed=3), path)
    return path


def changed(folder: Path, weights: Path) -> set[str]:
    """The modules whose weights the run changed."""
    before, after = (networks.load(path).network.state_dict() for path in (weights, folder / "model.safetensors"))
    return {name.rpartition(".")[0] for name in after if not torch.equal(before[name], after[name])}


def test_a_frozen_run_compares_and_trains_on_the_same_kept_features(go: Go, tmp_path: Path, weights: Path) -> None:
    frozen = {
        "network": NETWORK,
        "pretrained": str(weights),
        "finetune": "frozen",
        "balance": ("none", "oversample"),
        "choose": {},
    }
    told = go(tmp_path, "compare", **frozen)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*.npy")}
    assert told.done[-1] == "compare"
    go(tmp_path, "evaluate", **frozen)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*.npy")} == kept
    assert changed(tmp_path, weights) == {"classifier.1"}
    assert pl.read_parquet(tmp_path / "grid.parquet")["network"].unique().to_list() == [NETWORK]
    assert pl.read_csv(tmp_path / "history.csv").height == 1  # a linear head is fitted at once
    assert json.loads((tmp_path / "scores.json").read_text())["parts"]["test"]["cases"] == 30


def test_the_last_blocks_alone_change(go: Go, tmp_path: Path, weights: Path) -> None:
    go(
        tmp_path,
        "train",
        network=NETWORK,
        pretrained=str(weights),
        finetune="last(1, decay=0.5)",
        contrast="none",
        choose={},
    )
    assert changed(tmp_path, weights) == {"features.16", "features.18", "classifier.1"}


@pytest.mark.parametrize(
    ("recipe", "said"),
    [({"finetune": "frozen"}, "keeps weights as they come, and there are none"),
     ({"finetune": "frozen", "pretrained": "W", "balance": "oversample_augmented"}, "each passes through the trunk once"),
     ({"finetune": "frozen", "pretrained": "W", "scale_jitter": (1.1, 1.5)}, "looks at each once; drop one"),
     ({"finetune": "last(7)", "pretrained": "W"}, "give up to 5"),
     ({"finetune": "most"}, "no way of fine-tuning named 'most'")],
)  # fmt: skip
def test_what_cannot_be_done_is_said_first(
    go: Go, tmp_path: Path, weights: Path, recipe: dict[str, object], said: str
) -> None:
    given = {"network": NETWORK, **recipe} | ({"pretrained": str(weights)} if "pretrained" in recipe else {})
    with pytest.raises(UsageError, match=said):
        go(tmp_path / "run", "train", **given)
