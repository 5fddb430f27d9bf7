"""Results that are not of what stands in the run folder now are told from those that are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evenray.core.artefacts import RunFolder, ledger
from evenray.core.errors import DataError
from evenray.data import store
from evenray.stages.up_to_date import require_up_to_date

from .conftest import Heard, as_left

Go = Callable[..., Heard]


def noted(folder: Path, change: Callable[[dict[str, Any]], Any]) -> RunFolder:
    """Change the ledger as plain values."""
    path = folder / "provenance.json"
    stages = json.loads(path.read_text())
    change(stages)
    path.write_text(json.dumps(stages))
    return RunFolder(folder)


def test_a_finished_run_stands_and_is_not_written_to(copied: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copied.rglob("*") if path.is_file()}
    require_up_to_date(RunFolder(copied))
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copied.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    ("until", "change", "why"),
    [
        ("scan", {"value_range": (0, 200)}, "the inputs of stage split have changed since"),
        ("split", {"exclude": "out.csv"}, "the inputs of stage plan have changed since"),
        ("compare", {"contrast": "equalize"}, "the inputs of stage train have changed since"),
        ("train", {"epochs": 3, "contrast": "equalize"}, "the inputs of stage evaluate have changed since"),
    ],
)
def test_a_stage_that_was_done_again_outdates_those_after_it(
    copied: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: str, change: dict[str, Any], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    case = json.loads((copied / "attributions/index.json").read_text())["entries"][0]["case"]
    (tmp_path / "out.csv").write_text(f"case,reason\n{case},blurred\n")
    go(copied, until, **change)
    with pytest.raises(DataError, match=why) as told:
        require_up_to_date(RunFolder(copied))
    assert told.value.exit_code == 1
    assert f"'evenray evaluate {copied}' brings it up to date" in str(told.value)


def test_the_same_cases_and_parts_again_outdate_nothing(copied: Path, go: Go) -> None:
    go(copied, "split", seed=1)
    go(copied, "split")
    require_up_to_date(RunFolder(copied))


@pytest.mark.parametrize(
    ("asked", "first"),
    [({"epochs": 9}, "plan"), ({"threshold": "fixed(0.3)"}, "evaluate"), ({"test": 0.5}, "split")],
)
def test_another_recipe_outdates_what_depends_on_it(copied: Path, asked: dict[str, Any], first: str) -> None:
    path = copied / "recipe.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | asked))
    with pytest.raises(DataError, match=f"what recipe.json asks for has changed since {first}"):
        require_up_to_date(RunFolder(copied))


def test_what_is_gone_or_was_never_done_is_named(copied: Path) -> None:
    (copied / "scores.json").unlink()
    with pytest.raises(
        DataError, match=r"files that evaluate left are gone or changed \(.*scores.json.*evenray evaluate"
    ):
        require_up_to_date(RunFolder(copied))
    run = noted(copied, lambda ledger: ledger["stages"].pop("evaluate"))
    with pytest.raises(DataError, match=r"has not been through evaluate yet; 'evenray evaluate .*' does it"):
        require_up_to_date(run)


def test_where_it_was_trained_and_from_where_it_is_asked_do_not_matter(
    copied: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evenray.stages.tools import Tools

    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    Path("out.csv").write_text("case,reason\n")
    monkeypatch.setattr(Tools, "kind", "cuda")
    go(copied, "evaluate", exclude="out.csv")
    monkeypatch.undo()
    require_up_to_date(RunFolder(copied))
    shutil.rmtree(tmp_path / "there")
    require_up_to_date(RunFolder(copied))


def test_of_another_version_the_inputs_decide(copied: Path) -> None:
    run = noted(copied, lambda ledger: [stage.update(settings="x") for stage in ledger["stages"].values()])
    with pytest.raises(DataError, match="out of date"):
        require_up_to_date(run)
    noted(copied, lambda ledger: ledger.update(evenray="0.0.1"))
    require_up_to_date(run)
    noted(copied, lambda ledger: ledger["stages"]["evaluate"]["inputs"].update(train="other"))
    with pytest.raises(DataError, match="the inputs of stage evaluate have changed since"):
        require_up_to_date(run)


def test_with_another_version_of_a_plug_in_nothing_is_taken_from_what_the_former_one_kept(
    copied: Path, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> set[str]:
        places = ("compare/*.npz", "checkpoints/*", "store/*")
        return {str(path.relative_to(copied)) for place in places for path in copied.glob(place)}

    before = kept()
    for module in (ledger, store):
        monkeypatch.setattr(module, "packages", lambda: {"evenray-plug-in": "0.2"})
    go(copied, "train")
    for folder in ("compare", "checkpoints", "store"):
        assert len([name for name in kept() - before if name.startswith(folder)]) > 0


def test_a_folder_of_another_format_says_what_to_do(copied: Path) -> None:
    run = noted(copied, lambda ledger: ledger.pop("format"))
    with pytest.raises(
        DataError, match=r"another version of evenray \(format 1; this version reads 2\). Run 'evenray run DATA"
    ):
        require_up_to_date(run)


def test_a_note_of_the_same_outputs_changes_nothing(copied: Path) -> None:
    as_left(copied, "evaluate")
    require_up_to_date(RunFolder(copied))


def test_weights_are_found_from_elsewhere_and_missed_by_nobody(
    copied: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    alone: dict[str, Any] = {"choose": {"members": 1}, "contrast": "none"}
    go(copied, "train", **alone)
    shutil.copy(copied / "model.safetensors", "first.safetensors")
    network = json.loads((copied / "model.json").read_text())["network"]["spec"]
    go(copied, "evaluate", pretrained="first.safetensors", network=network, **alone)
    monkeypatch.undo()
    require_up_to_date(RunFolder(copied))
    (tmp_path / "first.safetensors").write_bytes(b"others")
    with pytest.raises(DataError, match="has changed since plan"):
        require_up_to_date(RunFolder(copied))
    (tmp_path / "first.safetensors").unlink()
    require_up_to_date(RunFolder(copied))
