"""The run folder: its tables, and a ledger that knows what is done with which settings and inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError
from evenray.core.meter import Cost

TABLE = pl.DataFrame({"case": ["a", "b"], "n": [1, None]})


@pytest.mark.parametrize("name", ["cases.parquet", "own.csv"])
def test_tables_come_back(tmp_path: Path, name: str) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_table(name, TABLE)
    assert run.read_table(name).equals(TABLE)


@pytest.mark.parametrize("name", ["cases.parquet", "rejected.csv"])
def test_a_damaged_table_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\x00 no table" if name.endswith("parquet") else b"a,b\n1,2,3\n")
    with pytest.raises(DataError, match=f"{name} cannot be read .*; it is damaged: make it again"):
        RunFolder(tmp_path).read_table(name)


def test_what_is_missing_names_the_verb_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no scores\.json yet; 'evenray run .*' makes it"):
        RunFolder(tmp_path).needed("scores.json")
    with pytest.raises(DataError, match="There is no run folder"):
        RunFolder(tmp_path / "gone").needed("scores.json")


class TestLedger:
    @pytest.fixture
    def run(self, tmp_path: Path) -> RunFolder:
        run = RunFolder(tmp_path)
        (run / "dataset.json").write_text("{}")
        (run / "given.csv").write_text("case")
        run.finish("scan", "settings", {"source": "x"}, None, ["dataset.json"], Cost(1.234))
        run.finish("audit", "settings", {"scan": run.stamp("scan"), "given.csv": ""}, "cpu", ["dataset.json"], Cost(1))
        return run

    def test_a_finished_stage_is_fresh_for_its_settings_inputs_and_device_only(self, run: RunFolder) -> None:
        assert run.fresh("scan", "settings", {"source": "x"}, None)
        assert not run.fresh("scan", "others", {"source": "x"}, None)
        assert not run.fresh("scan", "settings", {"source": "y"}, None)
        assert not run.fresh("scan", "settings", {"source": "x"}, "cuda")
        assert not run.fresh("split", "settings", {}, None)

    def test_what_another_version_made_is_not_fresh(self, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("evenray.core.artefacts.folder.version", lambda: "9.9")
        assert not run.fresh("scan", "settings", {"source": "x"}, None)
        assert run.intact("scan")

    @pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("[]")])
    def test_an_output_that_changed_has_to_be_made_again(self, run: RunFolder, change: Any) -> None:
        change(run / "dataset.json")
        assert not run.fresh("scan", "settings", {"source": "x"}, None)
        assert not run.intact("scan")

    def test_later_stages_depend_on_the_bytes_of_the_outputs(self, run: RunFolder) -> None:
        before = run.stamp("scan")
        run.finish("scan", "others", {"source": "z"}, None, ["dataset.json"], Cost(9))
        assert run.stamp("scan") == before
        (run / "dataset.json").write_text("[]")
        run.finish("scan", "others", {"source": "z"}, None, ["dataset.json"], Cost(9))
        assert run.stamp("scan") != before
        assert run.stale("audit")

    def test_a_stage_is_stale_when_a_stage_or_file_that_it_read_is_another(self, run: RunFolder) -> None:
        run.finish(
            "audit", "settings", {"scan": run.stamp("scan"), "given.csv": _digest(run / "given.csv")}, None, [], Cost(1)
        )
        assert not run.stale("audit")
        assert not run.stale("scan")  # where its images are is no matter
        assert not run.stale("never")
        (run / "given.csv").write_text("file")
        assert run.stale("audit")

    def test_notes_are_kept_beside_the_stages(self, run: RunFolder) -> None:
        run.note(lambda ledger: ledger.model_copy(update={"test_opened": ("now",)}))
        assert run.ledger.test_opened == ("now",)
        assert run.fresh("scan", "settings", {"source": "x"}, None)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda ledger: ledger.pop("format"), r"another version of evenray \(format 1; this version reads 2\)"),
            (lambda ledger: ledger.update(format=3), r"another version of evenray \(format 3"),
            (lambda ledger: ledger.update(stages=[]), "stages is \\[\\], where .* was expected"),
            (
                lambda ledger: ledger["stages"]["scan"].pop("outputs"),
                r"stages\.scan\.outputs is missing",
            ),
            (lambda ledger: ledger.update(odd=1), "there is no field odd"),
        ],
    )
    def test_a_ledger_of_another_shape_is_one_sentence(self, run: RunFolder, change: Any, said: str) -> None:
        ledger = json.loads((run / "provenance.json").read_text())
        change(ledger)
        (run / "provenance.json").write_text(json.dumps(ledger))
        with pytest.raises(DataError, match=said):
            _ = run.ledger


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_table_for_which_memory_is_short_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    folder.write_table("cases.parquet", pl.DataFrame({"case": ["a"]}))

    def short(path: object) -> pl.DataFrame:
        raise pl.exceptions.ComputeError("could not spawn threads: ThreadPoolBuildError")

    monkeypatch.setattr(pl, "read_parquet", short)
    with pytest.raises(MemoryError, match="could not spawn threads"):
        folder.read_table("cases.parquet")
