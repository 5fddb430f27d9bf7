"""Small data sets in every layout, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from evenray.core.messages import Message
from evenray.core.texts import Texts
from evenray.data.tables.labels import LabelTable
from evenray.data.tables.seen import Seen

Make = Callable[..., Path]


def told(messages: Iterable[Message]) -> list[str]:
    """Messages in English, each checked to have a Korean text as well."""
    found = list(messages)
    assert all(message.code in Texts("ko").texts for message in found)
    return [Texts("en").message(message) for message in found]


def read_labels(path: Path, *files: str) -> LabelTable:
    """A table of labels as it is read beside these files."""
    return LabelTable.read(path, Seen(path.parent, lambda: list(files), lambda file: None))


def picture(seed: int, top: int = 200) -> NDArray[Any]:
    """A picture of 24 x 20 pixels; no two alike."""
    rng = np.random.default_rng(seed)
    smooth = cv2.resize(rng.random((5, 4)), (20, 24), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth * top, 0, top).astype(np.uint8 if top < 256 else np.uint16)


@pytest.fixture
def png(tmp_path: Path) -> Make:
    """png("sick/a.png", 7) writes picture number 7 under the test's folder."""

    def make(name: str, seed: int, top: int = 200) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        ok, data = cv2.imencode(path.suffix if path.suffix in (".jpg", ".tif") else ".png", picture(seed, top))
        assert ok
        path.write_bytes(data.tobytes())
        return path

    return make


@pytest.fixture
def dicom(tmp_path: Path) -> Make:
    """dicom("a/b.dcm", 7, PatientID="p", ...) writes picture number 7 with these attributes."""

    def make(name: str, seed: int, **attributes: Any) -> Path:
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
        meta.MediaStorageSOPInstanceUID = attributes.get("SOPInstanceUID", f"1.2.3.{seed}")
        file = FileDataset("", {}, b"\0" * 128, meta)
        file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        pixels = picture(seed, 4000)
        file.Rows, file.Columns = pixels.shape
        file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
        file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
        file.PixelData = pixels.tobytes()
        for keyword, value in attributes.items():
            setattr(file, keyword, value)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pydicom.dcmwrite(path, file, enforce_file_format=True)
        return path

    return make


@pytest.fixture
def text(tmp_path: Path) -> Make:
    def make(name: str, content: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    return make
