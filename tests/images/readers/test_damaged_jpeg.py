"""A JPEG whose coded data is damaged or ends early is refused, in a file of its own, in DICOM and in TIFF; sound ones are read."""

from __future__ import annotations

import random
import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from evenray.core.errors import ReadError
from evenray.images import readers

RNG = np.random.default_rng(0)
GREY = cv2.GaussianBlur(RNG.integers(0, 256, (64, 96), np.uint8), (5, 5), 0)
COLOUR = cv2.GaussianBlur(RNG.integers(0, 256, (64, 96, 3), np.uint8), (5, 5), 0)
PICTURES = pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])


def jpeg(pixels: np.ndarray, **options: Any) -> bytes:
    out = BytesIO()
    Pillow.fromarray(pixels).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def halved(data: bytes) -> bytes:
    """The first half of the last scan, and the end marker."""
    scan = data.rindex(b"\xff\xda")
    return data[: (scan + len(data)) // 2] + b"\xff\xd9"


def inside_dicom(make_dicom: Any, pixels: np.ndarray, data: bytes) -> Path:
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit

    found: Path = make_dicom(pixels, TransferSyntaxUID=JPEGBaseline8Bit, PixelData=encapsulate([data]))
    return found


@PICTURES
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str)
def test_half_of_a_scan_is_refused(tmp_path: Path, pixels: np.ndarray, options: dict[str, Any]) -> None:
    path, data = tmp_path / "a.jpg", jpeg(pixels, **options)
    path.write_bytes(data)
    expected = np.asarray(Pillow.open(BytesIO(data)))
    assert np.array_equal(readers.read(path).pixels, expected)
    path.write_bytes(halved(data))
    with pytest.raises(ReadError, match="its JPEG data is damaged or incomplete"):
        readers.read(path)


@PICTURES
def test_half_of_a_scan_inside_dicom_is_refused(make_dicom: Any, pixels: np.ndarray) -> None:
    whole = readers.read(inside_dicom(make_dicom, pixels, jpeg(pixels)))
    assert whole.pixels.shape == pixels.shape
    with pytest.raises(ReadError, match="its JPEG data is damaged or incomplete"):
        readers.read(inside_dicom(make_dicom, pixels, halved(jpeg(pixels))))


@PICTURES
def test_half_of_a_strip_of_a_tiff_is_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, compression="jpeg", photometric="rgb" if pixels.ndim == 3 else "minisblack")
    assert readers.read(path).pixels.shape == pixels.shape
    with tifffile.TiffFile(path) as file:
        at, size = file.pages[0].dataoffsets[0], file.pages[0].databytecounts[0]
    data = path.read_bytes()
    part = halved(data[at : at + size])
    path.write_bytes(data[:at] + part + bytes(size - len(part)) + data[at + size :])
    with pytest.raises(ReadError, match="damaged"):
        readers.read(path)


def test_what_is_read_of_flipped_bits_has_no_bytes_missing(tmp_path: Path) -> None:
    """The share that a decoder can notice: codes that are none, and data that ends too early or too late. It read all before."""
    flips, data, path = random.Random(0), jpeg(GREY), tmp_path / "a.jpg"
    first, refused = data.rindex(b"\xff\xda") + 10, 0
    for _ in range(200):
        changed = bytearray(data)
        changed[flips.randrange(first, len(data) - 2)] ^= 1 << flips.randrange(8)
        path.write_bytes(changed)
        try:
            assert readers.read(path).shape == GREY.shape
        except ReadError:
            refused += 1
    assert 20 < refused < 200


def test_a_strange_header_over_sound_data_is_read(tmp_path: Path) -> None:
    data = bytearray(jpeg(GREY))
    data[11] = 9  # a revision of JFIF that there is not
    (tmp_path / "a.jpg").write_bytes(data)
    assert np.array_equal(readers.read(tmp_path / "a.jpg").pixels, np.asarray(Pillow.open(BytesIO(jpeg(GREY)))))


@pytest.mark.parametrize("turn", range(10))
def test_a_picture_stands_as_exif_says(tmp_path: Path, turn: int) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1" + struct.pack(">HH", turn, 0) + bytes(4)
    (tmp_path / "a.jpg").write_bytes(jpeg(COLOUR, exif=exif))
    expected = cv2.imread(str(tmp_path / "a.jpg"), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(readers.read(tmp_path / "a.jpg").pixels, expected)


def test_cmyk(tmp_path: Path) -> None:
    Pillow.fromarray(COLOUR).convert("CMYK").save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    expected = cv2.imread(str(tmp_path / "a.jpg"), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(readers.read(tmp_path / "a.jpg").pixels, expected)
    (tmp_path / "a.jpg").write_bytes(halved(data))
    with pytest.raises(ReadError, match="damaged"):
        readers.read(tmp_path / "a.jpg")
