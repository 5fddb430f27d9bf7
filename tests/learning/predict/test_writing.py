"""Masks of many files: one a file, and one for the slices of a series, of which the table says where it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.data import get_testdata_file

from evenray.learning.predict.decoding import Item
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
    writing = Writing(tmp_path / "out", ["lesion"])
    for n, file in enumerate([*files, "d.png"]):
        mask = np.zeros(shape, np.uint8)
        mask[n : n + 9, n : n + 4] = 1
        writing.add(Item(file, images / file), {"": mask})
    written = writing.done()
    assert written == {
        **dict.fromkeys(("c10.dcm", "c11.dcm", "c12.dcm"), "c10_series_mask.dcm"),
        **dict.fromkeys(("c20.dcm", "c21.dcm"), "c20_series_mask.dcm"), "c30.dcm": "c30_mask.dcm", "d.png": "d_mask.png",
    }  # fmt: skip
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(written.values())
    seg = pydicom.dcmread(tmp_path / "out" / "c10_series_mask.dcm")
    assert seg.NumberOfFrames == 3
    tops = [int(np.flatnonzero(frame.any(axis=1))[0]) for frame in seg.pixel_array]
    assert tops == [0, 1, 3]  # the slices that came first, second and fourth
