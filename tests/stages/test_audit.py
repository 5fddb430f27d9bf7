"""Exclusions are honoured and on record; findings that make every result void stop a run before it trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.core.run import Run
from evenray.core.texts import Texts
from evenray.core.types import Predictions
from evenray.learning.tasks.classify import Classify
from evenray.reporting import report_page
from evenray.verbs.data import audit

from .conftest import Heard

Go = Callable[..., Heard]


@pytest.fixture
def leaky(tiny_archive: Path, tmp_path: Path) -> Path:
    """The tiny archive, of whose 30 test images the first three are in train too."""
    arrays = dict(np.load(tiny_archive))
    arrays["train_images"][:3] = arrays["test_images"][:3]
    arrays["train_labels"][:3] = arrays["test_labels"][:3]
    np.savez(tmp_path / "leaky.npz", **arrays)
    return tmp_path / "leaky.npz"


def plan(folder: Path, *cases: str) -> Path:
    path = folder / "plan.csv"
    path.write_text("case,reason,action\n" + "".join(f"{case},copied,exclude\n" for case in cases))
    return path


def test_test_images_in_train_stop_before_training(leaky: Path, tmp_path: Path, go: Go) -> None:
    run = tmp_path / "run"
    with pytest.raises(DataError, match=r"10\.0 % of the test images .*--allow leakage_duplicates") as stopped:
        go(run, data=leaky)
    assert f"'evenray audit {run}' shows the images." in str(stopped.value)
    assert f"'evenray audit {run} --propose-exclusions run-exclusions.csv'" in str(stopped.value)
    assert not (run / "split.parquet").exists()
    assert "leakage_duplicates" in {finding.check for finding in audit(run)}
    assert (run / "audit.html").is_file()
    assert go(run, "split", data=leaky).done == ["split"]  # nothing is trained there


def test_what_is_allowed_goes_on_and_the_report_says_so_first(leaky: Path, tmp_path: Path, go: Go) -> None:
    run = tmp_path / "run"
    go(run, "compare", data=leaky, contrast="none", allow=("leakage_duplicates",))
    assert json.loads((run / "recipe.json").read_text())["allow"] == ["leakage_duplicates"]
    page = report_page(Run(run))
    first = page[page.index('class="notices"') :][:1500]
    assert "Test images that are also in another part" in first
    assert "--allow leakage_duplicates" in first


def test_leaving_out_the_copies_mends_it(leaky: Path, tmp_path: Path, go: Go) -> None:
    run, copies = tmp_path / "run", [f"train/{i}" for i in range(3)]
    told = go(run, "compare", data=leaky, contrast="none", exclude=str(plan(tmp_path, *copies)))
    assert told.done == ["scan", "audit", "split", "plan", "compare"]
    findings = pl.read_parquet(run / "findings.parquet")
    assert "leakage_duplicates" not in findings["check"].to_list()
    [excluded] = findings.filter(pl.col("check") == "excluded").to_dicts()
    assert sorted(excluded["cases"]) == copies
    assert json.loads(excluded["evidence"])["reasons"] == {"copied": 3}
    parts = pl.read_parquet(run / "split.parquet")
    assert parts.filter(pl.col("case").is_in(copies))["part"].to_list() == ["excluded"] * 3
    assert parts.height == 114
    assert pl.read_csv(run / "excluded.csv").rows() == [(case, "user", "copied") for case in copies]
    assert "Images left out as asked" in report_page(Run(run))


def test_the_content_of_the_plan_decides_not_its_name(copied: Path, tmp_path: Path, go: Go) -> None:
    first = plan(tmp_path, "train/1", "train/2")
    assert go(copied, "split", exclude=str(first)).done == ["audit", "split"]
    other = first.rename(tmp_path / "renamed.csv")
    assert go(copied, "split", exclude=str(other)).done == []
    plan(tmp_path, "train/1")
    assert go(copied, "split", exclude=str(first)).done == ["audit", "split"]
    assert go(copied, "split", exclude="").done == ["audit", "split"]


def test_a_plan_that_is_gone_is_remembered_by_the_run(copied: Path, tmp_path: Path, go: Go) -> None:
    asked = plan(tmp_path, "train/1")
    go(copied, "split", exclude=str(asked))
    asked.unlink()
    assert go(copied, "split", exclude=str(asked)).done == []
    with pytest.raises(UsageError, match="There is no file"):
        go(copied, "split", exclude=str(tmp_path / "another.csv"))


def test_an_unknown_case_or_check_is_wrong_usage(copied: Path, tmp_path: Path, go: Go) -> None:
    before = (copied / "recipe.json").read_bytes()
    with pytest.raises(UsageError, match=r"names 1 that is not among the 114 cases: train/77"):
        go(copied, "split", exclude=str(plan(tmp_path, "train/77")))
    with pytest.raises(
        UsageError, match=r"no finding to allow named 'leakage_patient'; did you mean leakage_patients\?"
    ):
        go(copied, "split", allow=("leakage_patient",))
    assert (copied / "recipe.json").read_bytes() == before


def test_what_the_split_leaves_out_has_its_reason(leaky: Path, tmp_path: Path, go: Go) -> None:
    go(tmp_path / "run", "split", data=leaky)
    rows = pl.read_csv(tmp_path / "run" / "excluded.csv").rows()
    assert [(case, by) for case, by, _ in rows] == [(f"train/{i}", "split") for i in range(3)]
    assert {reason for *_, reason in rows} == {"split.held"}
    assert "given test or validation part" in Texts("en")("split.held")


def test_numbers_that_start_anew_are_told_apart_by_the_pattern_that_is_proposed(tmp_path: Path, go: Go) -> None:
    import cv2

    rng, data = np.random.default_rng(0), tmp_path / "data"
    for part, label, number in (
        (p, c, n) for p in ("train", "val", "test") for c in ("sick", "well") for n in range(4)
    ):
        (data / part / label).mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (28, 28), dtype=np.uint8)
        cv2.imwrite(str(data / part / label / f"{label}{number}_a.png"), pixels)
    with pytest.raises(DataError) as refused:
        go(tmp_path / "run", "compare", data=data, patient=r"((?:sick|well)\d+)", contrast="none")
    said = str(refused.value)
    assert "8 patients are on both sides" in said
    assert "8 in test and train and validation" in said
    pattern = said.split("--patient '")[1].split("'.")[0]
    assert pattern == r"(test|train|val)/.*?((?:sick|well)\d+)"
    assert go(tmp_path / "run", "compare", data=data, patient=pattern, contrast="none").done == [
        "scan", "audit", "split", "plan", "compare",
    ]  # fmt: skip


def test_labels_are_doubted_by_models_that_did_not_see_them(copied: Path, go: Go) -> None:
    """The comparison judges train and validation out of fold, the trained network the test part; none judges a case twice."""
    judged = pl.read_parquet(copied / "out_of_fold.parquet")
    assert sorted(judged["part"].unique()) == ["train", "validation"]
    assert judged.height == 84
    assert judged.select(pl.sum_horizontal("p_0", "p_1")).to_series().to_numpy() == pytest.approx(1)
    go(copied, "evaluate", contrast="none")  # nothing to compare
    assert not (copied / "out_of_fold.parquet").exists()


def test_a_planted_label_error_reaches_the_report(copied: Path, go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is sure of every case, one of which is labelled otherwise."""
    predictions, planted = Classify.predictions, list[str]()

    def sure(task: Classify, *args: Any) -> Predictions:
        found = predictions(task, *args)
        target = found.table["target"].to_numpy()
        p = np.where(target == 1, 0.99, 0.002) + np.linspace(0, 0.002, len(target))
        if found.table["part"][0] == "test":
            wrong = int(np.flatnonzero(target == 0)[0])
            p[wrong] = 0.995
            planted.append(found.table["case"][wrong])
        return replace(found, table=found.table.with_columns(p_0=pl.Series(1 - p), p_1=pl.Series(p)))

    monkeypatch.setattr(Classify, "predictions", sure)
    go(copied, "evaluate", threshold="accuracy")
    labels = [finding for finding in Run(copied).findings or [] if finding.check == "label_errors"]
    [found] = [finding for finding in labels if finding.evidence["predicted_by"] == "trained"]
    assert found.cases == tuple(dict.fromkeys(planted))
    page = report_page(Run(copied))
    assert "Labels that a model confidently contradicts" in page


def test_a_finding_about_the_whole_set_counts_no_images(copied: Path, go: Go) -> None:
    lines = go(copied, "audit").lines
    assert "Patients are unknown" in lines
    assert not [line for line in lines if "0 images" in line]
    assert "found: 0 errors, " in lines[-1]
