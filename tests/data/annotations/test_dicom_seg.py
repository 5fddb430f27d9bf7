"""Frames of DICOM SEG files, read one by one, against all of them as they were drawn and as pydicom reads them together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.pixels.utils import pack_bits
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from evenray.core.errors import ReadError
from evenray.data.annotations.dicom_seg import SEGMENTATION, is_seg, seg_frame


def written(path: Path, frames: np.ndarray, syntax: str, *, cut: int = 0) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, SEGMENTATION
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["seg"])
    seg = FileDataset("", {}, b"\0" * 128, meta)
    seg.SOPClassUID, seg.SOPInstanceUID = SEGMENTATION, meta.MediaStorageSOPInstanceUID
    seg.SamplesPerPixel, seg.PhotometricInterpretation, seg.SegmentationType = 1, "MONOCHROME2", "BINARY"
    seg.NumberOfFrames, seg.Rows, seg.Columns = frames.shape
    seg.BitsAllocated, seg.BitsStored, seg.HighBit, seg.PixelRepresentation = 1, 1, 0, 0
    packed = pack_bits(frames.ravel())
    seg.PixelData = packed[: len(packed) - cut]
    seg["PixelData"].VR = "OB"
    pydicom.dcmwrite(path, seg, enforce_file_format=True)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("shape", [(7, 9), (5, 5), (3, 12), (8, 8), (1, 1)])
def test_each_frame_of_bits_is_read_whatever_its_size(shape: tuple[int, int], syntax: str, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 2, (4, *shape), dtype=np.uint8)
    written(tmp_path / "seg.dcm", frames, syntax)
    assert is_seg(tmp_path / "seg.dcm")
    assert np.array_equal(pydicom.dcmread(tmp_path / "seg.dcm").pixel_array, frames)
    for number, frame in enumerate(frames):
        assert np.array_equal(seg_frame(tmp_path / "seg.dcm", f"frame={number}"), frame)


@pytest.mark.parametrize(("number", "cut"), [(4, 0), (3, 8)])
def test_a_frame_that_is_not_there_is_told(number: int, cut: int, tmp_path: Path) -> None:
    frames = np.ones((4, 7, 9), np.uint8)
    written(tmp_path / "seg.dcm", frames, ExplicitVRLittleEndian, cut=cut)
    with pytest.raises(ReadError, match="frames cannot be read"):
        seg_frame(tmp_path / "seg.dcm", f"frame={number}")
