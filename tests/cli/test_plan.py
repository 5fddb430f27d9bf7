"""The verb plan: every choice with a sentence, nothing trained, every choice to be made otherwise."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evenray.cli import app
from evenray.core.artefacts import RunFolder
from evenray.core.errors import UsageError
from evenray.stages.up_to_date import require_up_to_date


def plan(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["plan", *words, "--json"])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def run(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("plan") / "run")
    plan(str(tiny_archive), "-o", folder)
    return folder


def test_it_says_each_choice_with_its_reason_and_trains_nothing(run: str) -> None:
    found = plan(run)
    assert found["fingerprint"] == {
        "cases": {"train": 60, "validation": 24, "test": 30}, "classes": {"0": 40, "1": 20}, "imbalance": 2.0, "side": 28,
        "colour": 0.0, "bits": 8,
    }  # fmt: skip
    choices = {choice["name"]: choice for choice in found["choices"]}
    assert choices["size"]["value"] == 28
    assert all(choice["why"]["code"].startswith("plan.") for choice in choices.values())
    left = {path.name for path in Path(run).iterdir()}
    assert {"split.parquet", "plan.json"} <= left
    assert not left & {"grid.parquet", "choice.json", "checkpoints", "model.safetensors", "store"}
    assert json.loads((Path(run) / "plan.json").read_text())["choices"] == found["choices"]


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [(["--epochs", "7"], "epochs", 7), (["--batch", "12"], "batch", 12), (["--size", "64"], "size", 64),
     (["--network", "vgg13"], "network", "vgg13"), (["--learning-rate", "0.01"], "learning_rate", 0.01),
     (["--folds", "4"], "folds", 4), (["--patience", "3"], "patience", 3),
     (["--choose", "channels=3"], "channels", 3), (["--choose", "keep=best"], "keep", "best"),
     (["--choose", "compare_size=30"], "compare_size", 30), (["--choose", "compare_epochs=9"], "compare_epochs", 9),
     (["--choose", "compare_cases=50"], "compare_cases", 50), (["--choose", "members=2"], "members", 2),
     (["--choose", "compare_networks=vgg11(width=0.1)"], "compare_networks", ["vgg11(width=0.1)"]),
     (["--search", "halving"], "search", "halving")],
)  # fmt: skip
def test_every_choice_can_be_made_otherwise(run: str, words: list[str], name: str, value: object) -> None:
    choices = {choice["name"]: choice for choice in plan(run, *words)["choices"]}
    assert (choices[name]["value"], choices[name]["why"]) == (value, {"code": "plan.asked", "values": {}})


@pytest.mark.parametrize(
    ("word", "said"),
    [("keep", "give NAME=VALUE, such as keep=last"), ("keep=first", "keep is first; give best or last"),
     ("epoch=3", "There is no choice of the plan without an option of its own named 'epoch'"),
     ("compare_size=9", "compare_size is 9; give a whole number from 28 up"), ("channels=2", "channels is 2; give 1 or 3"),
     ("compare_networks=vgg99", "There is no network named 'vgg99'")],
)  # fmt: skip
def test_a_choice_that_cannot_be_is_refused(run: str, word: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan(run, "--choose", word)


def test_for_people_it_is_a_table(run: str) -> None:
    done = CliRunner().invoke(app, ["plan", run])
    assert done.exit_code == 0
    assert "all images are grey" in " ".join(done.stderr.split())


def test_a_language_that_there_is_no_report_in_is_refused(run: str) -> None:
    with pytest.raises(UsageError, match="lang is 'fr'; give en or ko"):
        plan(run, "--lang", "fr")


def test_a_trained_run_keeps_its_recipe(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "provenance.json"}
    choices = {choice["name"]: choice["value"] for choice in plan(str(run), "--epochs", "9")["choices"]}
    usual = {choice["name"]: choice["value"] for choice in plan(str(run))["choices"]}
    assert choices["epochs"] > usual["epochs"]
    with pytest.raises(UsageError, match="holds a trained run, and --test would change what it was"):
        plan(str(run), "--test", "0.4")
    assert before == {path: path.read_bytes() for path in before}
    require_up_to_date(RunFolder(run))


def test_other_data_do_not_cost_a_trained_network_its_tables(
    finished_run: Path, tiny_archive: Path, tmp_path: Path
) -> None:
    run, other = Path(shutil.copytree(finished_run, tmp_path / "run")), tmp_path / "other.npz"
    shutil.copy(tiny_archive, other)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=r"holds a run of '.*tiny.npz', .* name another folder with -o"):
        plan(str(other), "-o", str(run))
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert plan(str(tiny_archive), "-o", str(run))["run"] == str(run)
