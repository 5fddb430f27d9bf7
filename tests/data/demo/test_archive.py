"""The archive on disk: the same bytes each time, valid DICOM, true tables, faults as described, never half-written."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest

from evenray.core.errors import ReadError, StorageError, UsageError
from evenray.data import demo
from evenray.data.demo import archive as archive_module
from evenray.data.demo.dicom import NOTICE
from evenray.data.demo.plan import plan
from evenray.images.readers import identity, read

PATIENTS, IMAGES = 60, 75


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return demo.make(tmp_path_factory.mktemp("demo") / "archive", seed=0, patients=PATIENTS, images=IMAGES)


@pytest.fixture(scope="module")
def planted(archive):
    return json.loads(archive.planted.read_text())


def files(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def sound(archive, planted) -> list[Path]:
    cut = {fault["file"] for fault in planted["faults"] if fault["fault"] == "truncated_file"}
    return [p for p in sorted(archive.folder.rglob("*.dcm")) if str(p.relative_to(archive.folder)) not in cut]


def reversed_map(function, films):
    """Draws the films last to first, and hands the results over in order."""
    return [function(film) for film in films[::-1]][::-1]


def test_the_same_seed_writes_the_same_bytes_in_any_order(archive, tmp_path):
    again = demo.make(tmp_path / "elsewhere", seed=0, patients=PATIENTS, images=IMAGES, map=reversed_map)
    assert files(again.folder) == files(archive.folder)


def test_another_seed_writes_other_pictures_and_other_uids(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "plan", lambda *arguments: plan(*arguments)[:20])
    other = demo.make(tmp_path / "other", seed=1, patients=PATIENTS, images=IMAGES)
    assert not set(files(other.folder).values()) & set(files(archive.folder).values())
    assert not {row["sop_instance_uid"] for row in rows(other.labels)} & {
        row["sop_instance_uid"] for row in rows(archive.labels)
    }


def test_the_description_counts_what_is_there(archive):
    labels = rows(archive.labels)
    assert (
        (archive.patients, archive.images)
        == (PATIENTS, IMAGES)
        == (len(list((archive.folder / "films").iterdir())), len(labels))
    )
    assert archive.sick_patients == round(PATIENTS / 13)
    assert Counter(row["label"] for row in labels)["sick"] == archive.sick_images + 1, (
        "the planted conflict is the one more"
    )
    assert {row["site"] for row in labels} == {"north", "south"}


def test_every_file_is_dicom_that_pydicom_reads_without_force(archive, planted):
    seen = set()
    for path in sound(archive, planted):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dataset = pydicom.dcmread(path)
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        assert dataset.file_meta.MediaStorageSOPClassUID == dataset.SOPClassUID
        for uid in (dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID):
            assert uid.is_valid
            assert uid.startswith("2.25.")
        assert (dataset.Modality, dataset.SOPClassUID.name) in {
            ("DX", "Digital X-Ray Image Storage - For Presentation"),
            ("CR", "Computed Radiography Image Storage"),
        }
        assert dataset.SeriesDescription == dataset.ImageComments == NOTICE
        seen.add(dataset.file_meta.TransferSyntaxUID.name)
    assert len(seen) >= 4, "compressed and uncompressed files occur"


def test_type_1_attributes_of_digital_x_ray_have_values(archive, planted):
    """PS3.3 A.26: DX Series, DX Image, DX Detector and DX Anatomy Imaged modules."""
    type_1 = (
        "PresentationIntentType ImageType SamplesPerPixel PhotometricInterpretation BitsAllocated BitsStored HighBit "
        "PixelRepresentation PixelIntensityRelationship PixelIntensityRelationshipSign RescaleIntercept RescaleSlope "
        "RescaleType PresentationLUTShape LossyImageCompression BurnedInAnnotation ImagerPixelSpacing ImageLaterality "
        "WindowCenter WindowWidth PatientOrientation"
    )
    type_2 = (
        "PatientName PatientID PatientBirthDate PatientSex StudyID AccessionNumber ReferringPhysicianName Manufacturer "
        "DetectorType PositionerType AcquisitionContextSequence AnatomicRegionSequence"
    )
    found = [d for d in map(pydicom.dcmread, sound(archive, planted)) if d.Modality == "DX"]
    assert found
    for dataset in found:
        assert all(dataset.get(name) not in (None, "") for name in type_1.split())
        assert all(name in dataset for name in type_2.split())


def test_files_say_what_their_pixels_are(archive, planted):
    stray = {fault["file"] for fault in planted["faults"] if fault["fault"] == "eight_bit_stray"}
    polarities = Counter()
    for path in sound(archive, planted):
        dataset, image = pydicom.dcmread(path), read(path)
        assert (dataset.BitsAllocated, dataset.BitsStored) == (
            (8, 8) if str(path.relative_to(archive.folder)) in stray else (16, 12)
        )
        assert image.value_range == (0, 2**dataset.BitsStored - 1)
        assert image.spacing_mm is not None
        assert (image.valid is not None and not image.valid.all()) == ("PixelPaddingValue" in dataset)
        polarities[dataset.Modality, dataset.PhotometricInterpretation] += 1
    assert set(polarities) == {(m, p) for m in ("DX", "CR") for p in ("MONOCHROME1", "MONOCHROME2")}


def test_both_polarities_show_the_spine_bright_and_the_lungs_dark(archive, planted):
    blank = {fault["file"] for fault in planted["faults"] if fault["fault"] == "blank_image"}
    for path in sound(archive, planted):
        if str(path.relative_to(archive.folder)) in blank:
            continue
        pixels = read(path).pixels.astype(float)
        height, width = pixels.shape
        spine = pixels[int(0.4 * height) : int(0.5 * height), int(0.46 * width) : int(0.54 * width)].mean()
        lung = pixels[int(0.35 * height) : int(0.5 * height), int(0.27 * width) : int(0.33 * width)].mean()
        assert spine > lung


def test_lesions_in_the_truth_table_are_in_the_files(archive):
    by_uid = {}
    for row in rows(archive.lesions):
        by_uid.setdefault(row["sop_instance_uid"], []).append(row)
    sick = {row["sop_instance_uid"] for row in rows(archive.labels) if row["label"] == "sick"}
    assert len(by_uid) == archive.sick_images
    assert set(by_uid) < sick
    for uid, marks in by_uid.items():
        image = read(archive.folder / marks[0]["file"])
        assert pydicom.dcmread(archive.folder / marks[0]["file"]).SOPInstanceUID == uid
        for mark in marks:
            row, column = round(float(mark["row"])), round(float(mark["column"]))
            assert 0 <= row < image.shape[0]
            assert 0 <= column < image.shape[1]
            assert image.valid is None or image.valid[row, column]


def test_labels_name_every_file_once_and_the_patient_is_in_the_header(archive, planted):
    people = [identity(path) for path in sound(archive, planted)]
    uids = [row["sop_instance_uid"] for row in rows(archive.labels)]
    assert len(set(uids)) == len(uids) == IMAGES
    assert {person.sop_instance_uid for person in people} < set(uids)
    assert all(person.patient_id.startswith("PHANTOM-") for person in people)
    assert len({person.patient_id for person in people}) == PATIENTS - 1, "all but the patient of the truncated file"


def test_sex_and_birth_date_stay_the_same_within_a_patient(archive, planted):
    known = {}
    for path in sound(archive, planted):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        assert known.setdefault(dataset.PatientID, (dataset.PatientSex, dataset.PatientBirthDate)) == (
            dataset.PatientSex,
            dataset.PatientBirthDate,
        )


def test_planted_faults_are_as_described(archive, planted):
    assert Counter(fault["fault"] for fault in planted["faults"]) == archive.faults
    for fault in planted["faults"]:
        CHECKS[fault["fault"]](archive.folder, fault)


def both(folder, fault):
    return (read(folder / fault[name]).pixels.astype(float) for name in ("file", "source_file"))


def patients(folder, fault):
    return {
        pydicom.dcmread(folder / fault[name], stop_before_pixels=True).PatientID for name in ("file", "source_file")
    }


def exact(folder, fault):
    copy, source = both(folder, fault)
    assert np.array_equal(copy, source)
    assert len(patients(folder, fault)) == 2


def shifted(folder, fault):
    copy, source = both(folder, fault)
    assert np.abs(copy - np.clip(source * 0.94 + 120, 1, 4095)).max() <= 0.5
    assert len(patients(folder, fault)) == 2


def recompressed(folder, fault):
    copy, source = both(folder, fault)
    assert not np.array_equal(copy, source)
    assert np.abs(copy - source).mean() < 60
    assert pydicom.dcmread(folder / fault["file"]).LossyImageCompression == "01"
    assert len(patients(folder, fault)) == 2


def cropped(folder, fault):
    copy, source = both(folder, fault)
    assert np.array_equal(copy, source[2:-2, 2:-2])
    assert len(patients(folder, fault)) == 2


def blank(folder, fault):
    assert np.ptp(read(folder / fault["file"]).pixels) == 0


def stray(folder, fault):
    assert read(folder / fault["file"]).pixels.dtype == np.uint8


def truncated(folder, fault):
    with pytest.raises(ReadError):
        read(folder / fault["file"])


def conflict(folder, fault):
    copy, source = both(folder, fault)
    assert np.array_equal(copy, source)
    labels = {row["sop_instance_uid"]: row["label"] for row in rows(folder / "labels.csv")}
    assert labels[fault["sop_instance_uid"]] == "sick"
    assert labels[fault["source_sop_instance_uid"]] == "healthy"
    assert len(patients(folder, fault)) == 1


CHECKS = {
    "exact_duplicate": exact,
    "near_duplicate_intensity": shifted,
    "near_duplicate_recompressed": recompressed,
    "near_duplicate_cropped": cropped,
    "blank_image": blank,
    "eight_bit_stray": stray,
    "truncated_file": truncated,
    "label_conflict": conflict,
}


def test_the_readme_says_plainly_that_all_of_it_is_synthetic(archive):
    text = (archive.folder / "README.txt").read_text()
    assert text.startswith("SYNTHETIC PHANTOMS - no image here shows a person")
    assert f"{IMAGES} chest-like radiographs" in text


def test_an_archive_that_is_there_already_is_kept(archive):
    stamps = {path: path.stat().st_mtime_ns for path in archive.folder.rglob("*")}
    assert demo.make(archive.folder, seed=0, patients=PATIENTS, images=IMAGES) == archive
    assert {path: path.stat().st_mtime_ns for path in archive.folder.rglob("*")} == stamps


def test_a_folder_with_anything_else_is_not_touched(archive, tmp_path):
    with pytest.raises(UsageError, match="give a new folder"):
        demo.make(archive.folder, seed=1, patients=PATIENTS, images=IMAGES)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "planted.json").write_text("[not ours")
    with pytest.raises(UsageError, match="give a new folder"):
        demo.make(tmp_path, patients=PATIENTS, images=IMAGES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "planted.json"]


def test_an_archive_with_a_missing_film_is_not_taken_for_whole(archive, tmp_path):
    copy = shutil.copytree(archive.folder, tmp_path / "copy")
    (copy / "films" / "p0001" / "film1.dcm").unlink()
    with pytest.raises(UsageError, match="is not this demo archive"):
        demo.make(copy, seed=0, patients=PATIENTS, images=IMAGES)


def test_an_empty_folder_and_the_leftover_of_a_killed_run_do_not_hinder(archive, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / ".here.part").mkdir()
    (tmp_path / ".here.part" / "old.dcm").write_text("half")
    again = demo.make(tmp_path / "here", seed=0, patients=PATIENTS, images=IMAGES)
    assert files(again.folder) == files(archive.folder)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(28, "No space left on device"), StorageError), (KeyboardInterrupt("stopped"), KeyboardInterrupt)],
)
def test_nothing_is_left_when_writing_fails_midway(tmp_path, monkeypatch, error, raised):
    written = []

    def failing(film, folder, seed, task):
        written.append(film)
        if len(written) > 3:
            raise error
        (folder / film.path).write_bytes(b"x")
        return (), (1, 1)

    monkeypatch.setattr(archive_module, "_write_film", failing)
    with pytest.raises(raised, match=str(error.args[-1])):
        demo.make(tmp_path / "archive", patients=PATIENTS, images=IMAGES)
    assert len(written) == 4
    assert list(tmp_path.iterdir()) == []
