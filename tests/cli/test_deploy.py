"""The verbs predict and export: what they write, what they say, and how they fail."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.errors import StorageError

from .conftest import Cli, one_sentence


@pytest.fixture(scope="module")
def pictures(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    with np.load(tiny_archive) as archive:
        for number, picture in enumerate(archive["test_images"][:5]):
            cv2.imwrite(str(folder / f"{number}.png"), picture)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_predict_writes_tables(cli: Cli, finished_run: Path, pictures: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"answers.{kind}"
    ended = cli("predict", finished_run, pictures, "-o", target, "--device", "cpu")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    assert "broken.png was set aside" in ended.err
    rows = (
        json.loads(target.read_text())["answers"] if kind == "json" else getattr(pl, f"read_{kind}")(target).to_dicts()
    )
    assert [row["file"] for row in rows] == [f"{i}.png" for i in range(5)]
    columns = ("file", "fragment", "p_0", "p_1", "decision", "threshold", "set", "out_of_distribution", "why")
    assert set(rows[0]) == set(columns)
    beside = tmp_path / "answers.rejected.csv"
    if kind == "json":
        assert json.loads(target.read_text())["rejected"][0]["file"] == "broken.png"
    else:
        assert pl.read_csv(beside)["file"].to_list() == ["broken.png"]


def test_predict_prints_csv_or_json(cli: Cli, finished_run: Path, pictures: Path) -> None:
    ended = cli("predict", finished_run, pictures / "0.png", pictures / "1.png")
    assert ended.out.splitlines()[0] == "file,fragment,p_0,p_1,decision,threshold,set,out_of_distribution,why"
    assert len(ended.out.splitlines()) == 3
    found = json.loads(cli("predict", finished_run, pictures, "--json", "--prevalence", "1%").out)
    assert found["images"] == 5
    assert found["prevalence"] in ([0.99, 0.01], [0.01, 0.99])
    assert 0 < found["false_flags"] <= 0.05
    assert len(found["answers"]) == 5


def test_predict_says_what_is_wrong(cli: Cli, finished_run: Path, pictures: Path, tmp_path: Path) -> None:
    one_sentence(cli("predict", finished_run, tmp_path / "nowhere"), "There is no", 1)
    one_sentence(cli("predict", finished_run, pictures, "-o", "answers.xlsx"), "ends in .csv, .parquet, .json", 2)
    one_sentence(cli("predict", tmp_path, pictures), "model.safetensors", 1)
    ended = cli("predict", finished_run, pictures / "broken.png")
    assert ended.code == 1
    assert "None of the 1 files could be read; the first: " in ended.err


def test_export_hands_on_all_that_prediction_needs(
    cli: Cli, finished_run: Path, pictures: Path, tmp_path: Path
) -> None:
    ended = cli("export", finished_run, "--format", "safetensors", "-o", tmp_path / "away", "--lang", "ko", "--json")
    assert ended.code == 0, ended.err
    names = [Path(path).name for path in json.loads(ended.out)["files"]]
    assert names == ["model.safetensors", "MODEL_CARD.md", "MODEL_CARD.ko.md"]
    here = cli("predict", finished_run, pictures, "--json")
    away = cli("predict", tmp_path / "away" / "model.safetensors", pictures, "--json")
    assert json.loads(here.out) == json.loads(away.out)


def test_formats_live_beside_each_other(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="needs the extra 'export'")
    for form in ("onnx", "openvino"):
        assert cli("export", finished_run, "--format", form, "-o", tmp_path / "away").code == 0
    assert {"model.onnx", "model.xml", "model.bin"} <= {path.name for path in (tmp_path / "away").iterdir()}


def test_names_of_two_folders_and_names_that_are_no_text(
    cli: Cli, finished_run: Path, pictures: Path, tmp_path: Path
) -> None:
    picture = next(path for path in pictures.glob("*.png") if path.name != "broken.png").read_bytes()
    for name in (b"one/x.png", b"two/x.png", b"two/bad\xff.png"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture)
    ended = cli("predict", finished_run, tmp_path / "one", tmp_path / "two", "--json")
    found = [row["file"] for row in json.loads(ended.out)["answers"]]
    assert found == [f"{tmp_path}/one/x.png", f"{tmp_path}/two/bad\\xff.png", f"{tmp_path}/two/x.png"]
    ended = cli("predict", finished_run, tmp_path / "two")
    assert [line.split(",")[0] for line in ended.out.splitlines()[1:]] == ["bad\\xff.png", "x.png"]


def test_the_card_says_what_the_run_found(cli: Cli, finished_run: Path, tiny_archive: Path, tmp_path: Path) -> None:
    cli("export", finished_run, "--format", "safetensors", "-o", tmp_path / "away", "--lang", "ko")
    scores = json.loads((finished_run / "scores.json").read_text())
    auroc = scores["parts"]["test"]["metrics"]["auroc"]
    for name in ("MODEL_CARD.md", "MODEL_CARD.ko.md"):
        card = (tmp_path / "away" / name).read_text(encoding="utf-8")
        assert f"| AUROC | {auroc['value']:.3f} |" in card
        assert str(tmp_path) not in card
        assert str(tiny_archive.parent) not in card
        for row, counts in zip(("0", "1"), scores["parts"]["test"]["confusion"], strict=True):
            assert f"| {row} | {counts[0]} | {counts[1]} |" in card
    assert "not a medical device" in (tmp_path / "away" / "MODEL_CARD.md").read_text()
    assert "의료기기가 아닙니다" in card


def test_export_says_what_is_wrong(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    one_sentence(cli("export", finished_run, "--format", "tflite"), "There is no format 'tflite'", 2)
    one_sentence(cli("export", finished_run, "--lang", "fr"), "lang is 'fr'; give en or ko.", 2)
    one_sentence(cli("export", finished_run, "--int8"), "give --format openvino --int8", 2)
    one_sentence(cli("export", tmp_path / "nowhere"), "There is no run folder", 1)
    one_sentence(cli("export", "memory://runs/one"), "'memory://runs/one' is a URL", 2)
    one_sentence(cli("export", finished_run, "-o", "memory://exp"), "'memory://exp' is a URL", 2)
    one_sentence(cli("export", finished_run, "-o", finished_run), "is the run folder itself", 2)
    half = Path(shutil.copytree(finished_run, tmp_path / "half"))
    (half / "scores.json").unlink()
    one_sentence(cli("export", half), "evenray evaluate", 1)


def test_urls_and_engines_at_the_command_line(
    cli: Cli, finished_run: Path, tiny_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.put_file(str(tiny_archive), "/in/tiny.npz")
    ended = cli("split", "memory://in/tiny.npz", "-o", "memory://out/run", "--jobs", 1)
    assert ended.code == 0, ended.err
    assert memory.exists("/out/run/split.parquet")
    assert "scan      unchanged" in cli("split", "memory://out/run").err
    ended = cli("predict", finished_run, "memory://in/tiny.npz", "-o", "memory://out/answers.csv")
    assert ended.code == 0, ended.err
    assert memory.cat_file("/out/answers.csv").startswith(b"file,fragment,")
    one_sentence(cli("scan", "memory://nowhere/x"), "There is no 'memory://nowhere/x'", 1)
    one_sentence(cli("scan", "s3://me:word@bucket/x"), "leave them out", 2)
    one_sentence(
        cli("scan", tiny_archive, "-o", tmp_path / "r", "--engine", "spark"), "There is no engine named 'spark'", 2
    )
    one_sentence(cli("scan", tiny_archive, "-o", "memory://in"), "holds files and is no run folder", 2)
    memory.store.clear()


def test_a_run_that_is_out_of_date_is_not_handed_on(
    cli: Cli, finished_run: Path, pictures: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert cli("split", run, "--seed", 1).code == 0
    said = f"what recipe.json asks for has changed since plan; 'evenray evaluate {run}' brings it up to date."
    for words in (
        ("export", run, "-o", tmp_path / "away"),
        ("predict", run, pictures),
        ("predict", run / "model.safetensors", pictures),
    ):
        one_sentence(cli(*words), "' is out of date: ", 1)
        one_sentence(cli(*words), said, 1)
    one_sentence(cli("ensemble", finished_run, run, "-o", tmp_path / "both"), said, 1)
    assert not (tmp_path / "away").exists()


def test_what_was_copied_out_of_a_run_folder_predicts(
    cli: Cli, finished_run: Path, pictures: Path, tmp_path: Path
) -> None:
    for name in ("model.safetensors", "model.json", "scores.json"):
        shutil.copy(finished_run / name, tmp_path / name)
    assert cli("predict", tmp_path, pictures).code == 0


@pytest.mark.parametrize("store", [True, False])
def test_export_elsewhere_leaves_the_run_as_it_was(
    cli: Cli, finished_run: Path, tmp_path: Path, *, store: bool
) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    if not store:
        shutil.rmtree(run / "store")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.rglob("*") if path.is_file()}
    ended = cli("export", run, "-o", tmp_path / "away")
    assert ended.code == 0, ended.err
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.rglob("*") if path.is_file()}


def test_a_store_that_is_in_part_and_cannot_be_written_to(
    cli: Cli, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
    from evenray.data import store

    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    for path in (run / "store").rglob("*.npy"):
        path.unlink()
    whole = store.atomic

    def guarded(path: Path) -> object:
        if run in path.parents:
            raise StorageError(f"Cannot write {path}: read-only file system")
        return whole(path)

    monkeypatch.setattr(store, "atomic", guarded)
    ended = cli("export", run, "-o", tmp_path / "away")
    assert ended.code == 0, ended.err
    assert (tmp_path / "away" / "model.onnx").is_file()
