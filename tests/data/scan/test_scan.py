"""The scan: one row an image, identifiers as hashes, what cannot be read set aside."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, UsageError
from evenray.core.types import Dataset
from evenray.data.scan import load, save, scan
from evenray.data.scan.listing import listing
from evenray.data.scan.scanning import scan_listed
from evenray.data.split import split
from evenray.data.tables.pseudonym import draw_key, pseudonym
from evenray.images.histogram import Histogram
from evenray.images.readers import read
from evenray.scale import isolated

from ..conftest import Make, picture, told


@pytest.fixture
def folders(tmp_path: Path, png: Make) -> Path:
    for seed in range(6):
        png(f"data/{'sick' if seed % 3 == 0 else 'well'}/{seed}.png", seed)
    return tmp_path / "data"


def test_a_row_says_what_the_image_is(folders: Path) -> None:
    data = scan(folders)
    row = data.cases.row(0, named=True)
    assert (row["case"], row["file"], row["fragment"], row["label"]) == (row["case"], "sick/0.png", "", "sick")
    assert re.fullmatch("case-[0-9a-f]{8}", row["case"])
    assert (row["rows"], row["columns"], row["channels"], row["bits"], row["dtype"]) == (24, 20, 1, 8, "uint8")
    assert (row["low"], row["high"], row["format"]) == (0.0, 255.0, "png")
    counts = np.bincount(picture(0).ravel(), minlength=256)
    assert data.sketch("histogram")[0].tolist() == counts.tolist()
    assert data.sketch("thumbnail").shape == (6, 32, 32)
    assert (data.classes, data.positive, data.counts) == (("sick", "well"), "sick", {"sick": 2, "well": 4})
    assert Path(data.root) == folders.resolve()


def test_one_unreadable_file_is_set_aside_with_its_reason(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_KEY", "the key is otherwise drawn from the first files")
    whole = scan(folders)
    (folders / "sick/broken.png").write_bytes((folders / "sick/0.png").read_bytes()[:60])
    (folders / "well/empty.png").touch()
    data = scan(folders)
    assert data.cases.drop("sex_birth_hash").equals(whole.cases.drop("sex_birth_hash"))
    assert data.rejected["file"].to_list() == ["sick/broken.png", "well/empty.png"]
    assert all(data.rejected["reason"])


def test_nothing_readable(tmp_path: Path, text: Make) -> None:
    text("sick/a.png", "x")
    text("well/b.png", "x")
    with pytest.raises(
        DataError, match=r"None of the 2 files of .* could be read; the first: sick/a\.png: is not an image"
    ):
        scan(tmp_path)


def test_a_class_that_cannot_be_read_leaves_a_single_one(tmp_path: Path, png: Make, text: Make) -> None:
    png("sick/a.png", 1)
    text("well/b.png", "x")
    data = scan(tmp_path)
    assert (data.classes, data.positive) == (("sick",), "sick")
    with pytest.raises(DataError, match=r"All 1 images of .* have the label 'sick'; a classifier needs two classes"):
        split(data)


def test_images_without_labels_are_scanned_and_cannot_be_learnt_from(tmp_path: Path, png: Make) -> None:
    png("a.png", 1)
    png("b.png", 2)
    data = scan(tmp_path)
    assert (data.classes, data.positive, data.cases["label"].to_list()) == ((), "", [None, None])
    with pytest.raises(DataError, match=r"The 2 images of .* have no labels: .* or give --labels TABLE"):
        split(data)
    with pytest.raises(UsageError, match="There is no class named 'sick'; there are none"):
        scan(tmp_path, positive="sick")


def test_a_wrong_positive_class_is_told_before_any_file_is_opened(tmp_path: Path, text: Make) -> None:
    text("sick/a.png", "x")
    text("well/b.png", "x")
    with pytest.raises(UsageError, match="There is no class named 'ill'; the classes are: sick, well"):
        scan(tmp_path, positive="ill")


def test_letters_that_a_file_system_took_apart_are_put_together(tmp_path: Path, png: Make) -> None:
    png(unicodedata.normalize("NFD", "정상") + "/a.png", 1)
    png("폐렴/b.png", 2)
    data = scan(tmp_path, positive="폐렴")
    assert data.classes == ("정상", "폐렴")


def test_equal_pictures_have_equal_hashes_whatever_holds_them(tmp_path: Path, png: Make) -> None:
    png("sick/a.png", 1)
    png("well/b.tif", 1)
    png("well/c.png", 2)
    cases = scan(tmp_path).cases
    assert cases["pixel_hash"][0] == cases["pixel_hash"][1] != cases["pixel_hash"][2]
    assert cases["sha256"].n_unique() == 3


def test_levels_say_how_deep_16_bits_are(tmp_path: Path, png: Make) -> None:
    png("sick/a.png", 1, top=4095)
    png("well/b.png", 2, top=4095)
    shallow, deep = scan(tmp_path, value_range=(0, 4095)), scan(tmp_path)
    assert shallow.cases.select("low", "high", "bits").row(0) == (0, 4095, 12)
    assert deep.cases.select("low", "high", "bits").row(0) == (0, 65535, 16)
    assert (shallow.facts.value_range, deep.facts.value_range) == ((0, 4095), None)
    assert shallow.cases["mean"].to_numpy().mean() > 10 * deep.cases["mean"].to_numpy().mean()


def test_processes_and_chunks_change_nothing(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scan(folders)
    monkeypatch.setattr(sys.modules["evenray.data.scan.scanning"], "CHUNK", 2)
    assert scan(folders, map=isolated(2)).cases.equals(whole.cases)


class TestDicom:
    @pytest.fixture
    def tree(self, tmp_path: Path, dicom: Make) -> Path:
        for number, patient in enumerate(["P-ANNA", "P-ANNA", "P-BERT", "P-CARL"]):
            dicom(f"data/{'sick' if number < 2 else 'well'}/{patient}/{number}.dcm", number, PatientID=patient,
                  PatientSex="F", PatientBirthDate=f"19{40 + number // 2}0101", StudyInstanceUID=f"1.8.{number}",
                  SOPInstanceUID=f"1.9.{number}", InstitutionName="South")  # fmt: skip
        return tmp_path / "data"

    def test_identifiers_are_hashed_and_stand_in_no_name(self, tree: Path) -> None:
        data = scan(tree)
        cases = data.cases
        assert cases["patient"][0] == cases["patient"][1]
        assert cases["patient"].n_unique() == 3
        assert cases["study"].n_unique() == 4
        assert cases["sex_birth_hash"].n_unique() == 2
        assert cases["site"].n_unique() == 1  # the institution of the header, as a keyed hash
        assert cases["site"][0] not in (None, "South")
        assert cases["case"].n_unique() == 4
        assert not any(name in text for text in cases["case"] for name in ("ANNA", "BERT", "CARL"))
        assert data.facts.patients_known
        for name in cases.select(pl.selectors.string()).drop("file").columns:
            assert not cases[name].fill_null("").str.contains("ANNA|1940|1\\.[89]\\.").any(), name

    def test_cases_are_called_by_their_files_where_names_are_wanted(self, tree: Path) -> None:
        data = scan(tree, names=True)
        assert data.cases["case"].to_list() == data.cases["file"].to_list()
        assert (data.facts.names_files, scan(tree).facts.names_files) == (True, False)

    def test_the_pattern_wins_over_the_header(self, tree: Path) -> None:
        assert scan(tree, patient=r"(\d)\.dcm").cases["patient"].n_unique() == 4

    def test_of_many_frames_the_middle_one_or_all(self, tmp_path: Path, dicom: Make) -> None:
        frames = np.stack([picture(i, 4000) for i in range(3)])
        for name in ("data/sick/a.dcm", "data/well/b.dcm"):
            dicom(name, 1, NumberOfFrames=3, PixelData=frames.tobytes())
        assert scan(tmp_path / "data").cases["case"].str.ends_with("#frame=1").to_list() == [True, True]
        assert scan(tmp_path / "data", every_frame=True).cases.height == 6


class TestPseudonyms:
    def test_who_has_the_data_gets_the_same_ones(self, folders: Path, tmp_path: Path) -> None:
        files = sorted(p for p in folders.rglob("*.png"))
        key = draw_key(files)
        assert key == draw_key(files)
        assert key != draw_key(files[1:])
        assert len({pseudonym(key, kind, value) for kind in ("patient", "study") for value in ("1", "2", "3")}) == 6

    def test_a_secret_of_the_user_wins(self, folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        files = sorted(p for p in folders.rglob("*.png"))
        monkeypatch.setenv("EVENRAY_KEY", "secret")
        key = draw_key(files)
        assert key == draw_key(files[1:])
        monkeypatch.setenv("EVENRAY_KEY", "another")
        assert key != draw_key(files)


def test_a_saved_data_set_comes_back(folders: Path, tmp_path: Path) -> None:
    (folders / 'sick/empty, "odd".png').touch()
    data, run = scan(folders, value_range=(0, 200)), RunFolder(tmp_path / "run")
    sketches = [f"sketches/{name}.npy" for name in ("histogram", "thumbnail", "fingerprint")]
    assert save(data, run) == ["cases.parquet", "dataset.json", "rejected.csv", *sketches]
    back = load(run, split=False)
    for name in data.sketches:
        assert np.array_equal(back.sketch(name), data.sketch(name))
        assert np.array_equal(back.sketch(name, np.array([4, 0])), np.load(run / f"sketches/{name}.npy")[[4, 0]])
    assert back.cases.equals(data.cases)
    assert back.rejected.equals(data.rejected)
    assert (back.classes, back.positive, back.root) == (data.classes, data.positive, data.root)
    assert back.facts == data.facts


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 1}, "version is 1, where 2 was expected"),
        ({"classes": "sick"}, "classes is 'sick', where an array was expected"),
        ({"facts": {"unlabelled": "3"}}, "facts.unlabelled is '3', where an integer was expected"),
        ({"facts": {"colour": True}}, "there is no field facts.colour"),
    ],
)
def test_a_damaged_description_names_the_field(
    folders: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    run = RunFolder(tmp_path / "run")
    save(scan(folders), run)
    description = run / "dataset.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | change))
    with pytest.raises(DataError, match=rf"dataset\.json: {said}.*makes it again"):
        load(run, split=False)


def test_messages_within_messages_come_back(folders: Path, tmp_path: Path) -> None:
    (folders / "t.csv").write_text("file,label\n0.png,x\n1.png,y\n")
    data, run = scan(folders), RunFolder(tmp_path / "run")
    save(data, run)
    assert told(load(run, split=False).facts.notes) == told(data.facts.notes)
    assert "it names 2 of the 6 images" in told(data.facts.notes)[0]


def test_a_data_set_prints_in_a_few_lines(folders: Path) -> None:
    lines = repr(scan(folders)).splitlines()
    assert lines[0] == f"Dataset of 6 cases in '{folders.resolve()}'"
    assert [line.split(maxsplit=1)[0] for line in lines[1:]] == ["classes", "parts", "set"]
    assert "sick 2, well 4 (positive: sick)" in lines[1]


def matches(data: Dataset) -> bool:
    """Whether every case has the sketch of its own file, and there are no others."""
    own = [Histogram.of(read(Path(data.root) / file)).rebin(256).counts for file in data.cases["file"]]
    return np.array_equal(data.sketch("histogram"), own) and all(
        len(rows) == len(data) for rows in data.sketches.values()
    )


def test_every_case_has_its_own_sketch_and_images_without_a_label_none(
    folders: Path, tmp_path: Path, text: Make
) -> None:
    names = sorted(path.relative_to(folders).as_posix() for path in folders.rglob("*.png"))
    labels = text("labels.csv", "path,label\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(names[::-2])))
    data, run = scan(folders, labels=labels), RunFolder(tmp_path / "run")
    assert len(data) == 3
    assert matches(data)
    save(data, run)
    assert matches(load(run, split=False))
    kept = scan_listed(listing(folders, labels=labels), sketches=tmp_path / "other")
    assert matches(kept)
    assert {len(np.load(path)) for path in (tmp_path / "other").glob("*.npy")} == {3}
    few = replace(data, cases=data.cases[[2, 0]])
    save(few, run)
    assert matches(load(run, split=False))


def test_a_data_set_without_sketches_takes_none_of_another(folders: Path, tmp_path: Path) -> None:
    data, run = scan(folders), RunFolder(tmp_path / "run")
    save(data, run)
    save(replace(data, sketches={}), run)
    back = load(run, split=False)
    assert not back.has_sketch("histogram")
    assert not list((run / "sketches").glob("*.npy"))


def test_the_split_of_a_run_folder_holds(folders: Path, tmp_path: Path, png: Make) -> None:
    for seed in range(10, 16):
        png(f"data/sick/{seed}.png", seed)
    data, run = scan(folders), RunFolder(tmp_path / "run")
    save(data, run)
    with pytest.raises(DataError, match=r"has no split\.parquet yet; 'evenray run .*' makes it"):
        load(run)
    done = split(data)
    excluded = done.cases.with_columns(
        part=pl.when(pl.col("file") == "sick/10.png").then(pl.lit("excluded")).otherwise("part")
    )
    run.write_table("split.parquet", excluded.select("case", "part"))
    assert (
        load(run).cases.select("case", "part").rows()
        == excluded.filter(pl.col("part") != "excluded").select("case", "part").rows()
    )
