"""Masks of many files: one a file, and one for the slices of a series, of which the table says where it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from evenray.images.readers import fragments
from evenray.learning.predict.decoding import Item
from evenray.learning.predict.files import items
from evenray.learning.predict.places import folders_of
from evenray.learning.predict.writing import Writing


def test_each_series_has_one_file_and_every_other_image_its_own(tmp_path: Path) -> None:
    ct = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    shape, images = (ct.Rows, ct.Columns), tmp_path / "images"
    images.mkdir()
    files = []
    for series, number in ((1, 0), (1, 1), (2, 0), (1, 2), (2, 1), (3, 0)):
        ct.SOPInstanceUID = ct.file_meta.MediaStorageSOPInstanceUID = f"1.2.{series}.{number}"
        ct.SeriesInstanceUID, ct.ImagePositionPatient = f"1.9.{series}", [0, 0, 5 * number]
        files.append(f"c{series}{number}.dcm")
        ct.save_as(images / files[-1])
    cv2.imwrite(str(images / "d.png"), np.zeros(shape, np.uint8))
    found = [Item(file, images / file) for file in [*files, "d.png"]]
    writing = Writing(tmp_path / "out", ["lesion"], found)
    for n, item in enumerate(found):
        mask = np.zeros(shape, np.uint8)
        mask[n : n + 9, n : n + 4] = 1
        writing.add(item, {"": mask})
    written = writing.done()
    assert {file: name for (file, _), name in written.items()} == {
        **dict.fromkeys(("c10.dcm", "c11.dcm", "c12.dcm"), "c10_series_mask.dcm"),
        **dict.fromkeys(("c20.dcm", "c21.dcm"), "c20_series_mask.dcm"), "c30.dcm": "c30_mask.dcm", "d.png": "d_mask.png",
    }  # fmt: skip
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(written.values())
    seg = pydicom.dcmread(tmp_path / "out" / "c10_series_mask.dcm")
    assert seg.NumberOfFrames == 3
    tops = [int(np.flatnonzero(frame.any(axis=1))[0]) for frame in seg.pixel_array]
    assert tops == [0, 1, 3]  # the slices that came first, second and fourth


def test_each_image_has_a_mask_of_its_own_wherever_it_comes_from(tmp_path: Path) -> None:
    """Patients of their own folder, told by absolute names; two endings of one name; a file that is given twice."""
    names = ["p1/001.png", "p2/001.png", "p2/001.tif", "p2/deep/001.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4), np.uint8))
    files = [*(str(tmp_path / name) for name in names), str(tmp_path / names[0])]
    found = items(files)
    writing = Writing(tmp_path / "out", ["a", "b", "c", "d", "e"], found)
    for n, item in enumerate(found):
        writing.add(item, {"": np.full((4, 4), n % len(names), np.uint8)})
    written = writing.done()
    assert [written[file, ""] for file in files] == [
        "p1/001_mask.png", "p2/001_mask.png", "p2/001_tif_mask.png", "p2/deep/001_mask.png", "p1/001_mask.png",
    ]  # fmt: skip
    pixels = [cv2.imread(str(tmp_path / "out" / written[file, ""]), cv2.IMREAD_UNCHANGED)[0, 0] for file in files[:-1]]
    assert pixels == [0, 1, 2, 3]
    assert sum(path.is_file() for path in (tmp_path / "out").rglob("*")) == len(names)


def test_two_folders_whose_series_have_the_same_names_do_not_share_a_file(tmp_path: Path) -> None:
    ct = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    for series in (1, 2):
        (tmp_path / f"p{series}").mkdir()
        for number in (0, 1):
            ct.SOPInstanceUID = ct.file_meta.MediaStorageSOPInstanceUID = f"1.2.{series}.{number}"
            ct.SeriesInstanceUID, ct.ImagePositionPatient = f"1.9.{series}", [0, 0, 5 * number]
            ct.save_as(tmp_path / f"p{series}" / f"{number}.dcm")
    found = items([tmp_path / "p1", tmp_path / "p2"])
    writing = Writing(tmp_path / "out", ["lesion"], found)
    for item in found:
        writing.add(item, {"": np.ones((ct.Rows, ct.Columns), np.uint8)})
    assert list(writing.done().values()) == [*["p1/0_series_mask.dcm"] * 2, *["p2/0_series_mask.dcm"] * 2]


def test_each_page_and_each_array_names_its_own_mask_and_slices_of_a_volume_the_file_they_share(tmp_path: Path) -> None:
    nib = pytest.importorskip("nibabel")
    pages = [np.full((4, 5), n, np.uint8) for n in range(3)]
    cv2.imwritemulti(str(tmp_path / "pages.tif"), pages)
    np.savez(tmp_path / "arrays.npz", test_images=np.stack(pages))
    nib.save(nib.Nifti1Image(np.zeros((5, 4, 3), np.uint8), np.diag([-1, -1, 1, 1])), tmp_path / "volume.nii.gz")
    found = [Item(name, tmp_path / name) for name in ("pages.tif", "arrays.npz", "volume.nii.gz")]
    writing = Writing(tmp_path / "out", ["a", "b", "c"], found)
    for item in found:
        writing.add(item, {name: np.full((4, 5), n, np.uint8) for n, name in enumerate(fragments(item.path))})
    written = writing.done()
    for item in found[:2]:
        for n, name in enumerate(fragments(item.path)):
            mask = cv2.imread(str(tmp_path / "out" / written[item.file, name]), cv2.IMREAD_UNCHANGED)
            assert mask.tolist() == [[n] * 5] * 4
    assert {written["volume.nii.gz", name] for name in fragments(found[2].path)} == {"volume_mask.nii.gz"}


def test_names_that_lead_upwards_stay_below_the_folder_of_answers() -> None:
    folders = folders_of(["../../p1/a.png", "../p2/a.png", "/data/p3/a.png"])
    assert [folder.as_posix() for folder in folders.values()] == ["p1", "p2", "data/p3"]
