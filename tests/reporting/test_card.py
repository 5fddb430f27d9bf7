"""The model card: every sentence is true of the run that it is about, in both languages."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evenray.core.artefacts.model import ModelRecord, NetworkRecord
from evenray.learning.export.exported import Exported
from evenray.reporting import write_card

EXPORTED = Exported(
    "onnx", (Path("model.onnx"),), 64, difference=2e-6, flag_rates={"all": 0.01, "sick": 0.02}, flag_cases=500
)


def card(
    run: Path, folder: Path, *, balance: str = "none", calibration: str = "temperature", rule: str | None = "",
    patient: pl.Expr | None = None, language: str = "en", **exported: Any,
) -> str:  # fmt: skip
    """The card of a copy of a made-up run that is changed as told; its lines in one."""
    shutil.copytree(run, folder / "run")
    cases = pl.read_parquet(folder / "run/cases.parquet")
    if patient is not None:
        cases = cases.with_columns(patient=patient)
        cases.write_parquet(folder / "run/cases.parquet")
    scores = json.loads((folder / "run/scores.json").read_text())
    scores["calibration"] = {"method": calibration, "parameters": {}}
    test = scores["parts"]["test"]
    if cases["patient"].null_count() == cases.height:
        test["patients"] = test["cases"]
    if rule:
        scores["threshold_rule"] = rule
    (folder / "run/scores.json").write_text(json.dumps(scores))
    names = tuple(scores["classes"])
    k = len(names)
    network = NetworkRecord.model_validate(
        {"spec": "vgg11_bn", "parameters": 9, "classes": k, "channels": 1, "size": 64}
    )
    ModelRecord(
        classes=names, positive=names[-1], contrast="none", balance=balance, prior=(1 / k,) * k, counts=(30,) * k,
        value_range=None, scale=255, native=512, network=network, training_images=None, references={},
    ).write(folder / "run")  # fmt: skip
    written = write_card(folder / "run", folder, replace(EXPORTED, **exported), language=language)
    return " ".join(written.read_text(encoding="utf-8").split())


def test_of_two_classes_with_known_patients(two: Path, tmp_path: Path) -> None:
    text = card(two, tmp_path)
    assert "PPV and NPV are about ‘sick’." in text
    assert "images; known patients: 7" in text  # every ninth has two of the 898
    assert "Patients in more than one part: " in text  # the made-up split tears some apart
    assert "The unit of the 95 % intervals is the patient." in text
    assert "The decision is made at the operating point. Images that are unlike" in text
    assert "by the rule youden on the validation part" in text
    assert "The threshold belongs to this data." in text
    assert "`evenray predict --prevalence`" in text
    assert "threshold section" not in text


def test_of_three_classes_there_is_no_threshold(three: Path, tmp_path: Path) -> None:
    text = card(three, tmp_path)
    assert "are means over the classes, each against the rest" in text
    assert "The decision is the most probable class." in text
    assert "The prediction is the most probable class." in text
    assert "operating point" not in text
    assert "threshold" not in text


def test_patients_that_are_in_one_part_are_said_to_be(two: Path, tmp_path: Path) -> None:
    assert "No patient is in two parts." in card(two, tmp_path, patient=pl.col("case"))


def test_without_patients_images_are_drawn(two: Path, tmp_path: Path) -> None:
    text = card(two, tmp_path, patient=pl.lit(None, pl.String))
    assert "Their patients are unknown" in text
    assert "The unit of the 95 % intervals is the image." in text
    assert "a patient" not in text.split("## Limits")[0].split("## Results")[1]


def test_where_some_patients_are_unknown_both_are_told(two: Path, tmp_path: Path) -> None:
    text = card(two, tmp_path, patient=pl.when(pl.int_range(pl.len()) % 3 > 0).then("case"))
    assert "Images with unknown patients: 29" in text  # of 898 in use, a third
    assert "is the patient, or the study or file where the patient is unknown." in text


@pytest.mark.parametrize(
    ("balance", "undone"), [("none", False), ("threshold(youden)", False), ("oversample", True), ("focal", True)]
)
def test_only_what_a_remedy_did_was_undone(two: Path, tmp_path: Path, balance: str, undone: bool) -> None:
    text = card(two, tmp_path, balance=balance)
    assert ("The effect of the remedy for imbalance on the probabilities was corrected" in text) is undone
    assert "calibrated on the validation part (temperature)" in text


def test_without_calibration_none_is_claimed(two: Path, tmp_path: Path) -> None:
    text = card(two, tmp_path, calibration="none")
    assert "Probabilities were not calibrated." in text
    assert "calibrated on" not in text


@pytest.mark.parametrize("rule", ["fixed(0.3)", "prevalence"])
def test_a_threshold_that_no_case_chose_is_not_said_to_be_chosen(two: Path, tmp_path: Path, rule: str) -> None:
    text = card(two, tmp_path, rule=rule)
    assert f", set by the rule {rule}. On the test part:" in text
    assert "The threshold belongs to this data" not in text


def test_where_no_image_can_be_told_out_of_distribution_none_is_said_to_be_flagged(two: Path, tmp_path: Path) -> None:
    text = card(two, tmp_path, flag_rates=None, flag_cases=0)
    assert "are flagged" not in text
    assert "too small to recognise unfamiliar images" in text


@pytest.mark.parametrize("balance", ["none", "oversample"])
def test_the_korean_card_makes_the_same_choices(two: Path, three: Path, tmp_path: Path, balance: str) -> None:
    (tmp_path / "2").mkdir()
    (tmp_path / "3").mkdir()
    unknown = pl.lit(None, pl.String)
    first = card(two, tmp_path / "2", balance=balance, language="ko", patient=unknown)
    second = card(three, tmp_path / "3", balance=balance, language="ko")
    assert "각 영상을 한 단위로" in first
    assert "판정은 동작점에서 합니다." in first
    assert "한 환자의 모든 영상을 한 단위로" in second
    assert "동작점" not in second
    assert "임계값" not in second
    for text in (first, second):
        assert ("불균형 대책이 확률에 미친 영향" in text) is (balance == "oversample")
        assert "임계값 절" not in text
