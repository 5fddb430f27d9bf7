"""Small files of every format, made on the spot, so that no test needs a download."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

MakeDicom = Callable[..., Path]


def dicom_dataset(pixels: np.ndarray, **attributes: Any) -> FileDataset:
    """A minimal dataset around (H, W), (H, W, 3) or, with NumberOfFrames given, (F, H, W) or (F, H, W, 3) pixels."""
    syntax = attributes.pop("TransferSyntaxUID", ExplicitVRLittleEndian)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    dataset = FileDataset("", {}, b"\0" * 128, meta, is_implicit_VR=implicit, is_little_endian=little)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, "1.2.3.4"
    frames = int("NumberOfFrames" in attributes)
    colour = pixels.ndim - frames == 3
    dataset.Rows, dataset.Columns = pixels.shape[frames : frames + 2]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = "<" if syntax.is_little_endian else ">"
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    dataset.add_new("PixelData", "OB" if pixels.dtype.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))
    for name, value in attributes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    if "BitsStored" in attributes and "HighBit" not in attributes:
        dataset.HighBit = attributes["BitsStored"] - 1
    return dataset


def dicom_bytes(dataset: FileDataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def make_dicom(tmp_path_factory: pytest.TempPathFactory) -> MakeDicom:
    """make_dicom(pixels, Attribute=value, ...) writes a DICOM file and returns its path; a value of None removes one."""

    folder, number = tmp_path_factory.mktemp("dicom"), itertools.count()

    def make(pixels: np.ndarray, **attributes: Any) -> Path:
        path = folder / f"{next(number)}.dcm"
        path.write_bytes(dicom_bytes(dicom_dataset(pixels, **attributes)))
        return path

    return make


@pytest.fixture(scope="session")
def make_lut() -> Callable[..., pydicom.Sequence]:
    """make_lut(descriptor, data) is a sequence of one look-up table, for ModalityLUTSequence or VOILUTSequence."""

    def make(descriptor: list[int], data: Any, vr: str = "US") -> pydicom.Sequence:
        item = Dataset()
        item.add_new("LUTDescriptor", "US", descriptor)
        if data is not None:
            item.add_new("LUTData", vr, data)
        return pydicom.Sequence([item])

    return make
