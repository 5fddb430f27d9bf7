"""The stage table7: its figures by hand from what the nets said, its cost, its resumption, and the test part shut till the end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.lock import LOCK
from evenray.core.errors import UsageError
from evenray.evidence.table7.nets import Bench
from evenray.verbs.table7 import table7

ASKED = {
    "contrast": "none",
    "balance": "none",
    "effort": "quick",
    "epochs": 2,
    "size": 28,
    "batch": 16,
    "device": "cpu",
}
SYSTEMS = "krizhevsky-1, zeiler-fergus-6"
FILES = ("table7.parquet", "table7.csv", "table7.md")

Make = Callable[..., pl.DataFrame]


@pytest.fixture(scope="module")
def narrow() -> Any:
    """Nets as narrow as they come, so that seven of them train in seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evenray.evidence.table7.budget.WIDTHS", (0.05,) * 4)
        yield


@pytest.fixture(scope="module")
def make(narrow: None, tiny_archive: Path) -> Make:
    def start(folder: Path, systems: str | None = SYSTEMS, data: Path = tiny_archive, **asked: Any) -> pl.DataFrame:
        table = table7(data, folder, systems=systems, **(ASKED | asked)).table7
        assert table is not None
        return table

    return start


@pytest.fixture(scope="module")
def made(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table") / "run"
    make(folder)
    return folder


def said(folder: Path, system: str, part: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "table7/predictions.parquet").filter(
        pl.col("system") == system, pl.col("part") == part
    )


def test_a_row_is_the_mean_of_its_nets_soft_maxes(made: Path) -> None:
    """The six nets one by one from their files, averaged by hand."""
    members = json.loads((made / "table7.json").read_text())["members"]
    assert members[0]["net"] == "zeiler_fergus(maps=b) 256 #0"
    found = {}
    for about in sorted((made / "table7").glob("*/net.json")):
        for looked in about.parent.glob("*.parquet"):
            logits = pl.read_parquet(looked).drop("seconds").to_numpy()
            found[json.loads(about.read_text())["net"], len(logits)] = softmax(logits, axis=1)
    for part, cases in (("validation", 24), ("test", 30)):
        six = np.mean([p for (net, n), p in found.items() if net.startswith("zeiler") and n == cases], axis=0)
        np.testing.assert_allclose(said(made, "zeiler-fergus-6", part)["p_1"].to_numpy(), six[:, 1], atol=1e-6)
        one = found["krizhevsky 256 #0", cases]
        np.testing.assert_allclose(said(made, "krizhevsky-1", part)["p_1"].to_numpy(), one[:, 1], atol=1e-6)


def test_the_figures_are_those_of_scikit_learn(made: Path) -> None:
    table = pl.read_parquet(made / "table7.parquet")
    assert table["system"].to_list() == ["zeiler-fergus-6", "krizhevsky-1"]
    for row in table.iter_rows(named=True):
        for part in ("validation", "test"):
            cases = said(made, row["system"], part)
            called = (cases["p_1"] >= 0.5).cast(pl.Int64)
            assert row[f"{part}_top1"] == pytest.approx((called != cases["target"]).mean())
            assert row[f"{part}_auroc"] == pytest.approx(roc_auc_score(cases["target"], cases["p_1"]))
            assert row[f"{part}_balanced_accuracy"] == pytest.approx(balanced_accuracy_score(cases["target"], called))
            assert row[f"{part}_top1_low"] <= row[f"{part}_top1"] <= row[f"{part}_top1_high"]
            assert row[f"{part}_top1_baseline"] == pytest.approx(1 / 3)
    assert "test_top5" not in table.columns


def test_a_row_says_what_it_cost(made: Path) -> None:
    table = pl.read_parquet(made / "table7.parquet")
    members = json.loads((made / "table7.json").read_text())["members"]
    six = [member for member in members if member["net"].startswith("zeiler")]
    assert len(six) == 6
    assert table["parameters"][0] == sum(member["parameters"] for member in six)
    assert table["training_seconds"][0] == pytest.approx(sum(member["seconds"] for member in six))
    assert (table["evaluation_seconds"] > 0).all()


def test_the_published_errors_stand_beside(made: Path) -> None:
    row = pl.read_csv(made / "table7.csv").row(0, named=True)
    assert [row[f"published_{name}"] for name in ("validation_top1", "validation_top5", "test_top5")] == [
        36.0,
        14.7,
        14.8,
    ]
    text = (made / "table7.md").read_text()
    assert "36.0 / 14.7 / 14.8" in text
    assert "40.7 / 18.2 / -" in text
    assert "Majority-class baseline | 33.3 | 0.500 | 0.500" in text


def test_the_test_part_is_opened_once_when_all_nets_stand(made: Path, make: Make) -> None:
    before = {name: (made / name).read_bytes() for name in FILES}
    assert len(RunFolder(made).ledger.test_opened) == 1
    make(made)
    make(made, "zeiler-fergus-6")  # all its nets have been looked at
    make(made)
    assert len(RunFolder(made).ledger.test_opened) == 1
    assert {name: (made / name).read_bytes() for name in FILES} == before


def test_killed_at_the_third_net_it_goes_on_to_the_same_table(
    made: Path, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        whole, trained = Bench.trained, []

        def killed(self: Bench, net: Any, tick: Any) -> Any:
            trained.append(net)
            assert (tmp_path / "run" / LOCK).exists()
            if len(trained) == 3:
                raise KeyboardInterrupt
            return whole(self, net, tick)

        patch.setattr(Bench, "trained", killed)
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "run")
    assert RunFolder(tmp_path / "run").ledger.test_opened == ()
    assert len(list((tmp_path / "run/table7").glob("*/net.json"))) == 2
    make(tmp_path / "run")
    assert not list((tmp_path / "run/table7").glob("*/checkpoints"))
    found, expected = (pl.read_parquet(folder / "table7/predictions.parquet") for folder in (tmp_path / "run", made))
    assert found.equals(expected)


def test_with_more_than_five_classes_the_top_5_error_is_counted(make: Make, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, n in (("train", 56), ("val", 28), ("test", 28)):
        labels = np.arange(n) % 7
        images = rng.integers(0, 60, (n, 28, 28), dtype=np.uint8) + (labels * 25).astype(np.uint8)[:, None, None]
        arrays |= {f"{part}_images": images, f"{part}_labels": labels[:, None]}
    np.savez(tmp_path / "seven.npz", **arrays)
    table = make(tmp_path / "run", "krizhevsky-1", tmp_path / "seven.npz", epochs=1)
    cases = said(tmp_path / "run", "krizhevsky-1", "test")
    p = cases.select([f"p_{k}" for k in range(7)]).to_numpy()
    wrong = [target not in np.argsort(-row, kind="stable")[:5] for target, row in zip(cases["target"], p, strict=True)]
    assert table["test_top5"][0] == pytest.approx(np.mean(wrong))
    assert table["test_top5_baseline"][0] == pytest.approx(2 / 7)
    assert "test_auroc" not in table.columns


def test_a_finished_run_keeps_its_recipe_and_its_network(narrow: None, finished_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "copied"))
    kept = ("recipe.json", "model.safetensors", "scores.json", "predictions.parquet", "plan.json", "choice.json")
    before = {name: (folder / name).read_bytes() for name in kept}
    table7(folder, systems="krizhevsky-1", **(ASKED | {"epochs": 1}))
    assert {name: (folder / name).read_bytes() for name in kept} == before


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"contrast": ("none", "equalize")}, "give one --contrast and one --balance"),
        ({"systems": "vgg-3"}, "no system named 'vgg-3'"),
        ({"device": "gpu"}, "There is no device 'gpu'"),
        ({"threshold": "accuracy"}, "threshold does nothing with table7"),
    ],
)
def test_mistakes_are_told_before_anything_is_read(
    tiny_archive: Path, tmp_path: Path, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        table7(tiny_archive, tmp_path / "run", **(ASKED | asked))
    assert not (tmp_path / "run").exists()


def test_weights_of_classes_are_short_for_a_weighted_loss(made: Path, narrow: None, tmp_path: Path) -> None:
    folder, asked = Path(shutil.copytree(made, tmp_path / "copied")), ASKED | {"epochs": 1}
    del asked["balance"]
    run = table7(folder, systems="krizhevsky-1", class_weights={"0": 0.25, "1": 0.75}, **asked)
    assert run.table7_record is not None
    assert run.table7_record.balance == "weighted(class_weights={'0': 0.25, '1': 0.75})"
