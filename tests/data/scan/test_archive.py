"""DICOM archives as they leave a PACS: what is no image to train on is set aside by its kind, and counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.data.scan import scan

from ..conftest import Make, told

CT = "1.2.840.10008.5.1.4.1.1.2"


def study(dicom: Make, count: int = 12) -> None:
    for number in range(count):
        dicom(f"pacs/{['normal', 'sick'][number % 2]}/{number}", number, SOPClassUID=CT, PatientID=f"p{number // 2}",
              ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], Modality="CT")  # fmt: skip


@pytest.mark.parametrize(
    ("uid", "kind"),
    [("1.2.840.10008.5.1.4.1.1.88.22", "structured_report"), ("1.2.840.10008.5.1.4.1.1.88.67", "structured_report"),
     ("1.2.840.10008.5.1.4.1.1.11.1", "presentation_state"), ("1.2.840.10008.5.1.4.1.1.66.4", "segmentation"),
     ("1.2.840.10008.5.1.4.1.1.481.2", "radiotherapy"), ("1.2.840.10008.5.1.4.1.1.104.1", "document"),
     ("1.2.840.10008.5.1.4.1.1.7", "secondary_capture")],
)  # fmt: skip
def test_objects_that_are_no_images(tmp_path: Path, dicom: Make, uid: str, kind: str) -> None:
    study(dicom)
    for number in range(3):
        dicom(f"pacs/sick/object{number}", 50 + number, SOPClassUID=uid, PatientID="p0")
    data = scan(tmp_path / "pacs")
    assert (len(data), data.rejected.height) == (12, 3)
    assert data.facts.understood is not None
    assert data.facts.understood.set_aside == {kind: 3}


def test_localizers_among_slices(tmp_path: Path, dicom: Make) -> None:
    study(dicom)
    dicom("pacs/sick/scout", 60, SOPClassUID=CT, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], PatientID="p0")
    data = scan(tmp_path / "pacs")
    assert data.rejected.rows() == [("sick/scout", "is a localizer among images")]
    assert "1 localizer" in " ".join(told(data.facts.notes)) or "localizers" in " ".join(told(data.facts.notes))


def test_a_collection_of_secondary_captures_is_one_of_images(tmp_path: Path, dicom: Make) -> None:
    for number in range(8):
        dicom(f"pacs/{['normal', 'sick'][number % 2]}/{number}", number, PatientID=f"p{number}")
    assert len(scan(tmp_path / "pacs")) == 8


@pytest.mark.parametrize("who", ["removed", "ANON", "0", "12345"])
def test_a_patient_of_most_images_is_none(tmp_path: Path, dicom: Make, who: str) -> None:
    for number in range(12):
        dicom(f"pacs/{['normal', 'sick'][number % 2]}/{number}", number, PatientID=who if number > 2 else f"p{number}")
    data = scan(tmp_path / "pacs")
    assert data.cases["patient"].null_count() == 9
    assert data.cases["patient"].drop_nulls().n_unique() == 3
