"""Small files made to end the process, or to take its memory or hours, end as an image or as a ReadError."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from evenray.core.errors import ReadError
from evenray.images import readers
from evenray.images.writers import write

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def animated(frame: bytes) -> bytes:
    """A PNG of GREY, followed by a second frame."""
    still = cv2.imencode(".png", GREY)[1].tobytes()
    control = struct.pack(">IIIIIHHBB", 0, 16, 16, 0, 0, 1, 10, 0, 0)
    after = chunk(b"fcTL", struct.pack(">I", 1) + control[4:]) + chunk(b"fdAT", struct.pack(">I", 2) + frame)
    return (
        still[:33]
        + chunk(b"acTL", struct.pack(">II", 2, 0))
        + chunk(b"fcTL", control)
        + still[33:-12]
        + after
        + still[-12:]
    )


@pytest.mark.parametrize("frame", [zlib.compress(b"\x77" * 272), b"", b"no zlib stream", zlib.compress(bytes(9))])
def test_an_animated_png_is_its_still_picture(tmp_path: Path, frame: bytes) -> None:
    """In a process of its own: OpenCV dies of the frames."""
    path = tmp_path / "a.png"
    path.write_bytes(animated(frame))
    script = (
        "import sys; from pathlib import Path; from evenray.images import readers; from evenray.images.writers import write;"
        "image = readers.read(sys.argv[1]); write(sys.argv[1], sys.argv[2], {'': image}, 'x');"
        "print(image.pixels.sum(), image.shape)"
    )
    command = [sys.executable, "-c", script, str(path), str(tmp_path / "b.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (done.returncode, done.stdout.strip()) == (0, f"{GREY.sum()} (16, 16)")
    assert np.array_equal(cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED), GREY)


def test_an_animated_png_with_alpha_is_copied_as_a_still_one(tmp_path: Path) -> None:
    pixels = np.dstack([GREY, GREY, GREY[::-1], np.where(GREY > 9, 255, 0).astype(np.uint8)])
    still = cv2.imencode(".png", pixels)[1].tobytes()
    bad = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 16, 16, 0, 0, 1, 10, 0, 0)) + chunk(b"fdAT", b"\0\0\0\1bad")
    (tmp_path / "a.png").write_bytes(still[:33] + chunk(b"acTL", bytes(8)) + still[33:-12] + bad + still[-12:])
    write(tmp_path / "a.png", tmp_path / "b.png", {"": readers.read(tmp_path / "a.png")}, "x")
    assert np.array_equal(cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED), pixels)


@pytest.mark.parametrize("header", [268, 12 + 256, 40 + 65_536, 0, 41])
def test_a_bmp_whose_header_has_no_size_that_there_is(tmp_path: Path, header: int) -> None:
    data = bytearray(cv2.imencode(".bmp", GREY)[1].tobytes())
    data[14:18] = struct.pack("<I", header)
    data[18:26] = struct.pack("<ii", 30_000, 30_000)
    (tmp_path / "a.bmp").write_bytes(data)
    with pytest.raises(ReadError, match=f"has a BMP header of {header:,} bytes"):
        readers.read(tmp_path / "a.bmp")


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        (words(0, 1, 7) + words(1, 65_535, 9) * 500, "unfolds to more than 65,536 colours"),
        (words(0, 1, 7) + b"".join(words(2, 2, 3 * max(0, n - 1), 0) for n in range(40)), "palette"),
        (words(0, 1, 7) + words(2, 1, 3, 0), "palette"),  # a segment that repeats itself
        (words(0, 1, 7) + words(2, 1, 0, 0) * 60_000, "unfolds to more than"),
    ],
)
def test_palettes_that_unfold(make_dicom: Any, segments: bytes, reason: str) -> None:
    table = {f"{colour}PaletteColorLookupTableDescriptor": [0, 0, 16] for colour in ("Red", "Green", "Blue")}
    data = {f"Segmented{colour}PaletteColorLookupTableData": segments for colour in ("Red", "Green", "Blue")}
    path = make_dicom(GREY, PhotometricInterpretation="PALETTE COLOR", **table, **data)
    with pytest.raises(ReadError, match=reason):
        readers.read(path)


def test_a_sound_segmented_palette(make_dicom: Any) -> None:
    """One colour, a ramp to white, and the ramp again."""
    segments = words(0, 1, 0) + words(1, 127, 127 * 256) + words(1, 128, 65_535)
    table = {f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 16] for colour in ("Red", "Green", "Blue")}
    data = {f"Segmented{colour}PaletteColorLookupTableData": segments for colour in ("Red", "Green", "Blue")}
    image = readers.read(make_dicom(GREY, PhotometricInterpretation="PALETTE COLOR", **table, **data))
    assert image.pixels.reshape(256, -1)[:, 0] == pytest.approx(np.arange(256) * 257, abs=260)


def test_a_progressive_jpeg_of_very_many_scans_inside_dicom(make_dicom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGExtended12Bit

    data = cv2.imencode(".jpg", GREY, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    path = make_dicom(GREY, TransferSyntaxUID=JPEGExtended12Bit, PixelData=encapsulate([data]))
    assert readers.read(path).shape == (16, 16)
    limits = dataclasses.replace(readers.LIMITS, scan_pixels=1000)
    monkeypatch.setattr("evenray.images.readers._limits.LIMITS", limits)
    with pytest.raises(ReadError, match="scan_pixels"):
        readers.read(path)
