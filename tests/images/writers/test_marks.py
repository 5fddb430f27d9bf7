"""Masks and boxes that are written are read by others, and by the scan, as what they were."""

from __future__ import annotations

import gzip
from copy import deepcopy
from pathlib import Path

import cv2
import nibabel
import numpy as np
import polars as pl
import pydicom
import pytest
from pycocotools.coco import COCO
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from evenray.core.errors import UsageError
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.data.volumes import stacks
from evenray.images.readers import fragments, read
from evenray.images.writers.boxes import write_boxes
from evenray.images.writers.masks import series_of, write_masks, write_series

SHAPE = (20, 30)


def mask_of(number: int) -> np.ndarray:
    found = np.zeros(SHAPE, np.uint8)
    found[2 : 9 + number, 4 : 20 - number] = 1
    found[12:15, 7 + number : 13] = 2
    return found


def slices(path: Path, number: int) -> None:
    """One slice of a CT with its geometry."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
    file = FileDataset("", {}, b"\0" * 128, meta)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.StudyInstanceUID, file.SeriesInstanceUID, file.PatientID = "1.2.3", "1.2.3.4", "P1"
    file.FrameOfReferenceUID, file.Modality = "1.2.3.5", "CT"
    file.PixelSpacing, file.SliceThickness, file.ImageOrientationPatient = [0.5, 0.7], 2, [1, 0, 0, 0, 1, 0]
    file.ImagePositionPatient = [-10, -20, 2 * number]
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = *SHAPE, 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.PixelData = np.random.default_rng(number).integers(0, 4000, SHAPE, np.uint16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, file, enforce_file_format=True)


def test_the_slices_of_a_series_have_one_segmentation_that_others_read(tmp_path: Path) -> None:
    """Written in no order; by highdicom each slice has its own mask, and by the scan they are one volume."""
    order, scan_folder = [2, 0, 3, 1], tmp_path / "scan"
    for n in order:
        slices(scan_folder / f"s{n}.dcm", n)
    paths = [scan_folder / f"s{n}.dcm" for n in order]
    assert len({series_of(path) for path in paths}) == 1
    target = write_series(paths, scan_folder, [mask_of(n) for n in order], ["liver", "tumour"])
    seg = pytest.importorskip("highdicom").seg.segread(target)
    uids = [pydicom.dcmread(path).SOPInstanceUID for path in paths]
    told = seg.get_pixels_by_source_instance(uids, combine_segments=True)
    np.testing.assert_array_equal(told, np.stack([mask_of(n) for n in order]))
    solid = seg.get_volume(combine_segments=True)
    assert solid.spacing == pytest.approx((2.0, 0.5, 0.7))
    dataset = scan(scan_folder, wanted=Wanted(task="segment"))
    assert (dataset.classes, len(dataset)) == (("liver", "tumour"), 4)
    (stack,) = stacks(dataset.cases).values()
    assert stack.step == 2.0
    for n, row in enumerate(stack.rows):
        np.testing.assert_array_equal(read_mask(dataset, row), mask_of(n))


def test_only_slices_with_a_place_of_one_series_stand_together(tmp_path: Path) -> None:
    slices(tmp_path / "a.dcm", 0)
    file = pydicom.dcmread(tmp_path / "a.dcm")
    own = series_of(tmp_path / "a.dcm")
    assert own is not None
    for keyword, value in (
        ("SeriesInstanceUID", "1.2.9"), ("ImagePositionPatient", None), ("ImageOrientationPatient", [0, 1, 0, 0, 0, -1]), ("Rows", 15),
    ):  # fmt: skip
        changed = deepcopy(file)
        if value is None:
            del changed[keyword]
        else:
            setattr(changed, keyword, value)
        pydicom.dcmwrite(tmp_path / "b.dcm", changed)
        assert (series_of(tmp_path / "b.dcm") is None) == (value is None)
        assert series_of(tmp_path / "b.dcm") != own
    (tmp_path / "c.dcm").write_bytes(b"no such file")
    assert series_of(tmp_path / "c.dcm") is None


def test_a_mask_of_a_dicom_is_a_segmentation_that_pydicom_and_the_scan_read(tmp_path: Path) -> None:
    for n in range(3):
        slices(tmp_path / "scan" / f"s{n}.dcm", n)
        [target] = write_masks(
            tmp_path / "scan" / f"s{n}.dcm", tmp_path / "scan", {"": mask_of(n)}, ["liver", "tumour"]
        )
    seg, image = pydicom.dcmread(target), pydicom.dcmread(tmp_path / "scan" / "s2.dcm")
    assert seg.SOPClassUID.name == "Segmentation Storage"
    assert (seg.StudyInstanceUID, seg.PatientID, seg.FrameOfReferenceUID) == ("1.2.3", "P1", "1.2.3.5")
    assert seg.SeriesInstanceUID != image.SeriesInstanceUID
    np.testing.assert_array_equal(seg.pixel_array, np.stack([mask_of(2) == 1, mask_of(2) == 2]))
    groups = seg.PerFrameFunctionalGroupsSequence
    assert [each.SegmentIdentificationSequence[0].ReferencedSegmentNumber for each in groups] == [1, 2]
    assert {each.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID for each in groups} == {
        image.SOPInstanceUID
    }
    assert groups[0].PlanePositionSequence[0].ImagePositionPatient == [-10, -20, 4]
    assert seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing == [0.5, 0.7]
    dataset = scan(tmp_path / "scan")
    assert (dataset.facts.task, dataset.classes, len(dataset)) == ("segment", ("liver", "tumour"), 3)
    for row, file in enumerate(dataset.cases["file"]):
        np.testing.assert_array_equal(read_mask(dataset, row), mask_of(int(file[1])))


def test_frames_of_one_file_are_named(tmp_path: Path) -> None:
    slices(tmp_path / "a.dcm", 0)
    whole = pydicom.dcmread(tmp_path / "a.dcm")
    whole.NumberOfFrames, whole.PixelData = 2, whole.PixelData * 2
    pydicom.dcmwrite(tmp_path / "a.dcm", whole)
    first, second = fragments(tmp_path / "a.dcm")
    [target] = write_masks(tmp_path / "a.dcm", tmp_path, {first: mask_of(0), second: mask_of(1)}, ["x", "y"])
    seg = pydicom.dcmread(target)
    sources = [each.DerivationImageSequence[0].SourceImageSequence[0] for each in seg.PerFrameFunctionalGroupsSequence]
    assert [source.ReferencedFrameNumber for source in sources] == [1, 2, 1, 2]
    np.testing.assert_array_equal(seg.pixel_array[1], mask_of(1) == 1)
    dataset = scan(tmp_path)
    assert dataset.cases["fragment"].to_list() == [first, second]
    for row in (0, 1):
        np.testing.assert_array_equal(read_mask(dataset, row), mask_of(row))
    sources[0].ReferencedFrameNumber = [1, 2]
    del sources[1].ReferencedFrameNumber  # which is to say both as well
    pydicom.dcmwrite(target, seg)
    dataset = scan(tmp_path)
    for row in (0, 1):
        np.testing.assert_array_equal(read_mask(dataset, row) == 1, (mask_of(0) == 1) | (mask_of(1) == 1))
    with pytest.raises(UsageError, match="has no 'frame=7'"):
        write_masks(tmp_path / "a.dcm", tmp_path, {"frame=7": mask_of(0)}, ["x"])


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize(
    ("named", "zipped", "written"),
    [
        ("w.nii", True, "w_mask.nii.gz"), ("w.nii.gz", False, "w_mask.nii"), ("w", True, "w_mask.nii.gz"), ("w", False, "w_mask.nii"),
        ("1.2.3", False, "1.2.3_mask.nii"), ("W.NII.GZ", True, "W_mask.nii.gz"),
    ],
)  # fmt: skip
def test_the_bytes_of_a_volume_tell_what_it_is_whatever_it_is_called(
    named: str, zipped: bool, written: str, kind: type[nibabel.Nifti1Image], tmp_path: Path
) -> None:
    affine = np.diag([-0.7, -0.5, 2, 1])
    data = kind(np.zeros((30, 20, 2), np.int16), affine).to_bytes()
    (tmp_path / named).write_bytes(gzip.compress(data) if zipped else data)
    names = fragments(tmp_path / named)
    [target] = write_masks(
        tmp_path / named, tmp_path / "out", {name: mask_of(n) for n, name in enumerate(names)}, ["a", "b"]
    )
    assert target.name == written
    found = nibabel.load(target)
    assert type(found) is kind
    np.testing.assert_allclose(found.affine, affine, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(found.dataobj), np.stack([mask_of(n).T for n in range(2)], axis=2))


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PIR"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_mask_of_a_volume_lies_where_the_volume_does(axes: str, ending: str, tmp_path: Path) -> None:
    """The voxel that is marked is the one that is bright, in the axes of the file and in those of the patient."""
    seen = np.zeros((30, 20, 4), np.int16)  # columns, rows, slices in L, P, S
    seen[7, 3, 2] = 900
    affine = np.diag([-0.5, -0.7, 2.0, 1.0])
    affine[:3, 3] = (3, 5, 7)
    volume = nibabel.Nifti1Image(seen, affine)
    there = nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(axes))
    volume = volume.as_reoriented(there)
    nibabel.save(volume, tmp_path / f"v{ending}")
    masks = {}
    for name in fragments(tmp_path / f"v{ending}"):
        mask = (read(tmp_path / f"v{ending}", fragment=name).pixels > 500).astype(np.uint8)
        if mask.any():
            masks[name] = mask
    [target] = write_masks(tmp_path / f"v{ending}", tmp_path, masks, ["bright"])
    assert target.name == f"v_mask{ending}"
    found = nibabel.load(target)
    np.testing.assert_array_equal(found.affine, nibabel.load(tmp_path / f"v{ending}").affine)  # of float32
    assert found.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(found.dataobj), (np.asarray(volume.dataobj) > 500).astype(np.uint8))


def test_masks_of_pictures_are_png(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros(SHAPE, np.uint8))
    [one] = write_masks(tmp_path / "a.jpg", tmp_path / "m", {"": (mask_of(0) == 1).astype(np.uint8)}, ["x"])
    np.testing.assert_array_equal(cv2.imread(str(one), cv2.IMREAD_UNCHANGED), (mask_of(0) == 1) * 255)
    [two] = write_masks(tmp_path / "a.jpg", tmp_path / "m", {"": mask_of(0)}, ["x", "y"])
    np.testing.assert_array_equal(cv2.imread(str(two), cv2.IMREAD_UNCHANGED), mask_of(0))


def test_the_masks_of_one_image_are_never_written_over_those_of_another(tmp_path: Path) -> None:
    taken: set[Path] = set()
    for name in ("a.jpg", "a.png", "a_png.png", "a.tif"):
        cv2.imwrite(str(tmp_path / name), np.zeros(SHAPE, np.uint8))
        taken.update(write_masks(tmp_path / name, tmp_path / "m", {"": mask_of(0)}, ["x", "y"], taken))
    assert {path.name for path in taken} == {"a_mask.png", "a_png_mask.png", "a_png_png_mask.png", "a_tif_mask.png"}
    for name in ("s.dcm", "s"):
        slices(tmp_path / name, 0)
        taken.update(write_masks(tmp_path / name, tmp_path / "m", {"": mask_of(0)}, ["x", "y"], taken))
        taken.add(write_series([tmp_path / name], tmp_path / "m", [mask_of(0)], ["x", "y"], taken))
    assert set((tmp_path / "m").iterdir()) == taken
    assert {path.name for path in taken if path.suffix == ".dcm"} == {
        "s_mask.dcm", "s_2_mask.dcm", "s_series_mask.dcm", "s_2_series_mask.dcm",
    }  # fmt: skip


def test_boxes_are_read_by_pycocotools_and_by_the_scan(tmp_path: Path) -> None:
    for n in range(3):
        cv2.imwrite(str(tmp_path / f"{n}.png"), np.full(SHAPE, n, np.uint8))
    images = pl.DataFrame({"name": [f"{n}.png" for n in range(3)], "rows": [20] * 3, "columns": [30] * 3})
    boxes = pl.DataFrame({
        "name": ["0.png", "0.png", "2.png"], "class": [0, 1, 1], "x0": [1.0, 2.5, 3.0], "y0": [1.0, 4.0, 5.0],
        "x1": [9.0, 12.0, 20.0], "y1": [8.0, 9.0, 19.5], "score": [0.9, 0.5, 0.25],
    })  # fmt: skip
    write_boxes(tmp_path / "out.json", images, boxes, ["cell", "platelet"])
    coco = COCO(str(tmp_path / "out.json"))
    assert [coco.cats[k]["name"] for k in sorted(coco.cats)] == ["cell", "platelet"]
    assert [each["bbox"] for each in coco.loadAnns(coco.getAnnIds(imgIds=[1]))] == [[1, 1, 8, 7], [2.5, 4, 9.5, 5]]
    assert scan(tmp_path).facts.task == "classify"  # what predict wrote is the truth only where it is named
    dataset = scan(tmp_path, wanted=Wanted(boxes=str(tmp_path / "out.json")))
    assert (dataset.facts.task, dataset.classes) == ("detect", ("cell", "platelet"))
    assert [len(own) for own in dataset.cases["boxes"]] == [2, 0, 1]
    write_boxes(tmp_path / "out.csv", images, boxes, ["cell", "platelet"])
    again = scan(tmp_path, wanted=Wanted(boxes=str(tmp_path / "out.csv")))
    assert [own.to_list()[-1]["x1"] for own in again.cases["boxes"]] == [12, 20]
    with pytest.raises(UsageError, match=r"neither \.json nor \.csv"):
        write_boxes(tmp_path / "out.txt", images, boxes, ["cell", "platelet"])
