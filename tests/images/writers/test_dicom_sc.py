"""Secondary captures: of the image's study, with an identity of their own, valid for pydicom and, where it is there, dciodvfy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from evenray.data.demo.dicom import encode
from evenray.data.demo.film import anatomy_of, picture
from evenray.data.demo.plan import Film
from evenray.images.readers import read
from evenray.images.writers.dicom_sc import write_secondary_capture


@pytest.fixture
def film(tmp_path: Path) -> Path:
    about = Film(patient=3, number=0, sick=True, label="sick", site="north")
    path = tmp_path / "film.dcm"
    path.write_bytes(encode(about, picture(about, 0), anatomy_of(3, 0).sex, 0))
    return path


PIXELS = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)


def changed(path: Path, **elements: str | None) -> Path:
    dataset = pydicom.dcmread(path)
    for keyword, value in elements.items():
        if value is None:
            if keyword in dataset:
                del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)
    return path


def test_patient_and_study_are_kept_and_the_instance_is_new(film: Path, tmp_path: Path) -> None:
    write_secondary_capture(film, tmp_path / "sc.dcm", PIXELS, "evenray gradcam: sick")
    source, made = pydicom.dcmread(film), pydicom.dcmread(tmp_path / "sc.dcm")
    for keyword in ("PatientID", "PatientName", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyID"):
        assert made[keyword] == source[keyword]
    assert made.SOPClassUID.name == "Secondary Capture Image Storage"
    assert made.SOPInstanceUID != source.SOPInstanceUID
    assert made.SeriesInstanceUID != source.SeriesInstanceUID
    assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert (made.SeriesDescription, made.BurnedInAnnotation) == ("evenray gradcam: sick", "YES")
    assert np.array_equal(made.pixel_array, PIXELS)
    assert np.array_equal(read(tmp_path / "sc.dcm").pixels, PIXELS)


def test_the_same_picture_has_the_same_identity_and_another_has_not(film: Path, tmp_path: Path) -> None:
    names = ("a", "b", "c", "d")
    for name, pixels, title in zip(names, (PIXELS, PIXELS, 255 - PIXELS, PIXELS), ("t", "t", "t", "u"), strict=True):
        write_secondary_capture(film, tmp_path / name, pixels, title)
    a, b, c, d = (pydicom.dcmread(tmp_path / name) for name in names)
    assert a.SOPInstanceUID == b.SOPInstanceUID
    assert len({a.SOPInstanceUID, c.SOPInstanceUID, d.SOPInstanceUID}) == 3
    assert a.SeriesInstanceUID == c.SeriesInstanceUID != d.SeriesInstanceUID


@pytest.mark.parametrize(
    ("elements", "side"),
    [
        ({"ImageLaterality": "R", "BodyPartExamined": "BREAST"}, "R"),
        ({"Laterality": "L", "BodyPartExamined": "KNEE"}, "L"),
        ({"BodyPartExamined": "HAND", "ImageLaterality": None}, ""),
        ({"BodyPartExamined": None, "ImageLaterality": None}, ""),
        ({"BodyPartExamined": "CHEST", "ImageLaterality": None}, None),
        ({"BodyPartExamined": "CHEST", "ImageLaterality": "U"}, None),
        ({"BodyPartExamined": "BREAST", "ImageLaterality": "B"}, None),
    ],
)
def test_laterality(film: Path, tmp_path: Path, elements: dict[str, str | None], side: str | None) -> None:
    write_secondary_capture(changed(film, **elements), tmp_path / "sc.dcm", PIXELS, "t")
    assert pydicom.dcmread(tmp_path / "sc.dcm").get("Laterality") == side


def test_dciodvfy_finds_no_error(film: Path, tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("no dciodvfy on this machine: apt-get install dicom3tools")
    write_secondary_capture(film, tmp_path / "sc.dcm", PIXELS, "evenray gradcam: sick")
    said = subprocess.run(["dciodvfy", tmp_path / "sc.dcm"], capture_output=True, text=True, check=False)
    assert [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")] == []
