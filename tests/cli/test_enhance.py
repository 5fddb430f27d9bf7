"""The verb enhance from the outside."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.images import readers
from evenray.images.contrast import enhance

from .conftest import RNG, run, run_json


def test_enhance_a_folder(folder: Path, tmp_path: Path) -> None:
    result = run_json("enhance", folder, "-m", "percentile(1, 99) | gamma(0.8)", "-o", tmp_path / "out")
    assert len(result["written"]) == 3
    for name in ("a/one.png", "a/two.png", "b/three.png"):
        before, after = readers.read(folder / name), readers.read(tmp_path / "out" / name)
        assert np.array_equal(after.pixels, enhance(before, "percentile(1, 99) | gamma(0.8)").pixels)
    page = Path(result["sheet"]).read_text()
    assert "image 3" in page
    assert not any(name in page for name in ("three.png", "one.png", str(tmp_path)))
    named = run_json("enhance", folder, "-m", "gamma(2)", "-o", tmp_path / "named", "--names")
    assert "three.png" in Path(named["sheet"]).read_text()
    assert not (tmp_path / "out" / "labels.csv").exists()
    told = run("enhance", folder, "-m", "gamma(2)", "-o", tmp_path / "more", "--sheet", 0).stderr
    assert f"3 files enhanced with gamma(2), in {tmp_path / 'more'}\n" in told


def test_an_image_that_uses_little_of_its_range_is_told_of(tmp_path: Path) -> None:
    for name, top in (("narrow", 4095), ("wide", 65_535)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), RNG.integers(0, top, (50, 60)).astype(np.uint16))
    told = {
        (name, value_range): "give --value-range"
        in run("enhance", tmp_path / f"{name}.png", "-m", "clahe", "-o", tmp_path / "out", *value_range).stderr
        for name in ("narrow", "wide")
        for value_range in ((), ("--value-range", "0,4095"))
    }
    assert [key for key, said in told.items() if said] == [("narrow", ())]


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("clahe", True),
        ("gamma(2) | percentile(1, 99)", True),
        ("percentile(1, 99)", False),
        ("percentile | gamma(2)", False),
    ],
)
def test_a_method_that_begins_as_advised_is_not_advised_to(tmp_path: Path, method: str, said: bool) -> None:
    cv2.imwrite(str(tmp_path / "narrow.png"), RNG.integers(0, 4095, (50, 60)).astype(np.uint16))
    told = run("enhance", tmp_path / "narrow.png", "-m", method, "-o", tmp_path / "out").stderr
    assert "give --value-range LOW,HIGH" in told
    assert ("or begin with" in told) == said


@pytest.mark.parametrize(("top", "said"), [(255, True), (1, False)])
def test_floats_that_are_not_0_to_1_are_told_of(tmp_path: Path, top: float, said: bool) -> None:
    images = RNG.uniform(0, top, (3, 20, 20)).astype(np.float32)
    images[1, 0, :2] = images[0, 0, :2] = 0, top
    np.savez(tmp_path / "own.npz", train_images=images)
    note = "values range from 0 to 255, but floats are expected to range from 0 to 1; give --value-range 0,255"
    message = {"code": "histogram.beyond", "values": {"low": 0.0, "high": 255.0, "range": "0,255"}}
    assert (note in run("histogram", tmp_path / "own.npz").stdout) == said
    assert run_json("histogram", tmp_path / "own.npz")["notes"] == ([message] if said else [])
    copy = ("enhance", tmp_path / "own.npz", "-m", "gamma(2)", "-o", tmp_path / "out.npz")
    assert (note in run(*copy).stderr) == said
    assert "note" not in run(*copy, "--value-range", "0,255").stderr
    assert run_json("histogram", tmp_path / "own.npz", "--value-range", "0,255")["notes"] == []


def test_two_jobs_give_the_same_copies(folder: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        run_json("enhance", folder, "-m", "clahe", "-o", tmp_path / str(jobs), "--jobs", jobs, "--sheet", 0)
    for file in (tmp_path / "1").rglob("*.png"):
        assert file.read_bytes() == (tmp_path / "2" / file.relative_to(tmp_path / "1")).read_bytes()


def test_enhance_one_file_names_the_copy_after_it(folder: Path, tmp_path: Path) -> None:
    run_json("enhance", folder / "a/one.png", "-m", "equalize")
    assert (tmp_path / "one-enhanced.png").exists()
    assert (tmp_path / "sheet.html").exists()  # the name of a file may be a patient's


def test_a_broken_file_is_skipped_and_told_of(folder: Path, tmp_path: Path) -> None:
    (folder / "a" / "broken.png").write_bytes((folder / "a/one.png").read_bytes()[:300])
    result = run_json("enhance", folder, "-m", "equalize", "-o", tmp_path / "out", "--sheet", 0)
    assert len(result["written"]) == 3
    assert [Path(s["file"]).name for s in result["skipped"]] == ["broken.png"]


def test_all_methods_on_one_page(folder: Path, tmp_path: Path) -> None:
    result = run_json("enhance", folder / "a/one.png", "--all", "-o", tmp_path / "every.html")
    assert len(result["measures"]) > 20
    text = (tmp_path / "every.html").read_text()
    assert "clahe(clip=2)" in text
    assert "border | equalize" in text


def test_pages_in_korean(folder: Path, tmp_path: Path) -> None:
    run_json("enhance", folder / "a/one.png", "--all", "-o", tmp_path / "every.html", "--lang", "ko")
    result = run_json("enhance", folder, "-m", "gamma(0.5)", "-o", tmp_path / "out", "--lang", "ko")
    every, pairs = ((tmp_path / name).read_text(encoding="utf-8") for name in ("every.html", "out/sheet.html"))
    for page, title in ((every, "한 영상에 적용한 모든 대비 향상 방법"), (pairs, "대비 향상 전후")):
        assert '<html lang="ko">' in page
        assert f">{title}</h1>" in page
    assert "영상 3장에 gamma(0.5) 방법을 적용했습니다." in pairs
    assert result["method"] == "gamma(0.5)"


def test_matching_a_reference_leaves_a_histogram_to_repeat_it(folder: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "bright.png"), RNG.integers(150, 250, (50, 60)).astype(np.uint8))
    out = tmp_path / "out"
    result = run_json("enhance", folder, "--reference", tmp_path / "bright.png", "-o", out, "--sheet", 0)
    assert readers.read(out / "a/one.png").pixels.mean() == pytest.approx(200, abs=3)
    again = run_json("enhance", folder, "-m", result["method"], "-o", tmp_path / "again", "--sheet", 0)
    assert Path(again["written"][0]).read_bytes() == Path(result["written"][0]).read_bytes()


def test_a_volume_takes_one_curve(tmp_path: Path) -> None:
    pages = [np.full((20, 20), value, np.uint16) for value in (1000, 2000, 3000)]
    cv2.imwritemulti(str(tmp_path / "a.tiff"), pages)
    run_json(
        "enhance",
        tmp_path / "a.tiff",
        "-m",
        "linear",
        "-o",
        tmp_path / "b.tiff",
        "--value-range",
        "0,4000",
        "--sheet",
        0,
    )
    value_range = [int(readers.read(tmp_path / "b.tiff", fragment=f"page={i}").pixels[0, 0]) for i in range(3)]
    assert value_range == [0, 2000, 4000]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a contrast, such as --method"),
        (["-m", "claeh"], "did you mean clahe"),
        (["-m", "gamma", "--value-range", "x"], "LOW,HIGH"),
        (["--all"], "give a file"),
        (["-m", "gamma", "--lang", "fr"], "lang is 'fr'; give en or ko"),
        (["-m", "gamma", "-o", "data/inside"], "lies in the folder"),
    ],
)
def test_mistakes_of_usage(folder: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run("enhance", "data", *arguments)
    assert {path.name for path in folder.parent.iterdir()} == {"data"}


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no"):
        run("enhance", tmp_path / "absent", "-m", "gamma")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        run("enhance", tmp_path / "empty", "-m", "gamma")


def test_dicom_copy_is_a_derived_image(evenray_data: Path, tmp_path: Path) -> None:
    import pydicom

    source = evenray_data / "dicom" / "polarity" / "Fake_MONOHR1.dcm"
    run_json("enhance", source, "-m", "clahe(clip=2)", "-o", tmp_path / "out.dcm")
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert "clahe(clip=2)" in after.DerivationDescription
    assert after.SOPInstanceUID != pydicom.dcmread(source).SOPInstanceUID
    page = (tmp_path / "out-sheet.html").read_text()
    assert str(pydicom.dcmread(source).PatientID or "no identifier") not in page


# -- histogram ------------------------------------------------------------------------------------------------------


def test_a_copy_is_not_named_as_another_format(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"one.png is PNG; give -o a name that ends in .png"):
        run("enhance", folder / "a/one.png", "-m", "gamma", "-o", tmp_path / "new" / "one.jpg")
    with pytest.raises(UsageError, match=r"give a name that ends in .html"):
        run("enhance", folder / "a/one.png", "--all", "-o", tmp_path / "new" / "one.jpg")
    assert not (tmp_path / "new").exists()


def test_an_image_that_is_not_there_anywhere_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("clear.png", np.zeros((4, 4, 4), np.uint8))
    text = run("histogram", "clear.png").stdout
    assert "there is no pixel to measure: all 16 are missing" in text
    assert "nan" not in text
    assert run_json("histogram", "clear.png")["mean"] is None
    run("enhance", "clear.png", "-m", "clahe", "-o", "copy.png")
    assert "nan" not in re.sub('base64,[^"]*', "", Path("copy-sheet.html").read_text())
