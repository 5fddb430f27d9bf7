"""Results that are not of what stands in the run folder now are told from those that are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError
from evenray.stages.currency import require_current

from .conftest import Told, as_left

Go = Callable[..., Told]


def noted(folder: Path, change: Callable[[dict[str, Any]], Any]) -> RunFolder:
    run = RunFolder(folder)
    run.note(lambda ledger: change(ledger) and None)
    return run


def test_a_finished_run_stands_and_is_not_written_to(copied: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copied.rglob("*") if path.is_file()}
    require_current(RunFolder(copied))
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copied.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    ("until", "change", "why"),
    [
        (
            "scan",
            {"value_range": (0, 200)},
            r"scan was done again after \w+, so split, compare, train and evaluate are",
        ),
        ("split", {"exclude": "out.csv"}, r"split was done again after compare, so compare, train and evaluate are"),
        ("compare", {"contrast": "equalize"}, r"compare was done again after train, so train and evaluate are"),
        ("train", {"epochs": 3, "contrast": "equalize"}, "so evaluate is not of what stands there now"),
    ],
)
def test_a_stage_that_was_done_again_outdates_those_after_it(
    copied: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: str, change: dict[str, Any], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    noted(
        copied,
        lambda ledger: [stage.update(finished="2020-01-01T00:00:00+00:00") for stage in ledger["stages"].values()],
    )
    case = json.loads((copied / "attributions/index.json").read_text())[0]["case"]
    (tmp_path / "out.csv").write_text(f"case,reason\n{case},blurred\n")
    go(copied, until, **change)
    with pytest.raises(DataError, match=why) as told:
        require_current(RunFolder(copied))
    assert told.value.exit_code == 1
    assert f"'evenray evaluate {copied}' makes" in str(told.value)


def test_the_same_cases_and_parts_again_outdate_nothing(copied: Path, go: Go) -> None:
    go(copied, "split", seed=1)
    go(copied, "split")
    require_current(RunFolder(copied))


@pytest.mark.parametrize(
    ("asked", "first"),
    [({"epochs": 9}, "compare"), ({"threshold": "fixed(0.3)"}, "evaluate"), ({"test": 0.5}, "split")],
)
def test_another_recipe_outdates_what_depends_on_it(copied: Path, asked: dict[str, Any], first: str) -> None:
    run = RunFolder(copied)
    run.write_json("recipe.json", run.read_json("recipe.json") | asked)
    with pytest.raises(DataError, match=f"what recipe.json asks for has changed since {first}"):
        require_current(run)


def test_what_is_gone_or_was_never_done_is_named(copied: Path) -> None:
    (copied / "scores.json").unlink()
    with pytest.raises(
        DataError, match=r"files that evaluate left are gone or changed \(.*scores.json.*evenray evaluate"
    ):
        require_current(RunFolder(copied))
    run = noted(copied, lambda ledger: ledger["stages"].pop("evaluate"))
    with pytest.raises(DataError, match=r"has not been through evaluate yet; 'evenray evaluate .*' does it"):
        require_current(run)


def test_where_it_was_trained_and_from_where_it_is_asked_do_not_matter(
    copied: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evenray.stages import Context

    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    Path("out.csv").write_text("case,reason\n")
    monkeypatch.setattr(Context, "kind", "cuda")
    go(copied, "evaluate", exclude="out.csv")
    monkeypatch.undo()
    require_current(RunFolder(copied))
    shutil.rmtree(tmp_path / "there")
    require_current(RunFolder(copied))


def test_of_another_version_the_order_of_the_stages_decides(copied: Path, go: Go) -> None:
    run = noted(copied, lambda ledger: [stage.update(key="x") for stage in ledger["stages"].values()])
    with pytest.raises(DataError, match="out of date"):
        require_current(run)
    noted(copied, lambda ledger: ledger.update(evenray="0.0.1"))
    require_current(run)
    noted(copied, lambda ledger: ledger["stages"]["train"].update(finished="2999-01-01T00:00:00+00:00"))
    with pytest.raises(DataError, match="train was done again after evaluate, so evaluate is"):
        require_current(run)


def test_a_note_of_the_same_outputs_changes_nothing(copied: Path) -> None:
    as_left(copied, "evaluate")
    require_current(RunFolder(copied))


def test_weights_are_found_from_elsewhere_and_missed_by_nobody(
    copied: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    alone: dict[str, Any] = {"choose": {"members": 1}, "contrast": "none"}
    go(copied, "train", **alone)
    shutil.copy(copied / "model.safetensors", "first.safetensors")
    network = json.loads((copied / "model.json").read_text())["network"]["spec"]
    go(copied, "evaluate", weights="first.safetensors", network=network, **alone)
    monkeypatch.undo()
    require_current(RunFolder(copied))
    (tmp_path / "first.safetensors").write_bytes(b"others")
    with pytest.raises(DataError, match="has changed since compare"):
        require_current(RunFolder(copied))
    (tmp_path / "first.safetensors").unlink()
    require_current(RunFolder(copied))
