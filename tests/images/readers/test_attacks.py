"""Small files made to end the process, or to take its memory or hours, end as an image or as a ReadError."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

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


def j2k(rows: int, columns: int, tile: int, precinct: int | None, layers: int, levels: int = 5) -> bytes:
    """The headers of a grey JPEG 2000 stream; precincts are of 2**precinct pixels."""
    size = struct.pack(">HIIIIIIIIH3B", 0, columns, rows, 0, 0, tile, tile, 0, 0, 1, 7, 1, 1)
    sizes = b"" if precinct is None else bytes([precinct * 17] * (levels + 1))
    style = struct.pack(">BBHB5B", precinct is not None, 0, layers, 0, levels, 4, 4, 0, 1) + sizes
    parts = ((b"\xff\x51", size), (b"\xff\x52", style), (b"\xff\x5c", bytes(1) + bytes(3 * levels + 1)))
    return b"\xff\x4f" + b"".join(kind + struct.pack(">H", 2 + len(body)) + body for kind, body in parts) + b"\xff\xd9"


@pytest.mark.parametrize(
    ("tile", "precinct", "layers", "limit"),
    [(8000, 0, 1, "packets"), (8000, 1, 1, "packets"), (1, None, 1, "packets"), (8000, 5, 65_535, "packets")],
)
def test_a_jpeg_2000_of_very_many_precincts(
    make_dicom: Any, tile: int, precinct: int | None, layers: int, limit: str
) -> None:
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless

    data = j2k(8000, 8000, tile, precinct, layers)
    path = make_dicom(GREY, Rows=8000, Columns=8000, TransferSyntaxUID=JPEG2000Lossless, PixelData=encapsulate([data]))
    with pytest.raises(ReadError, match=f"limit '{limit}'"):
        readers.read(path)


def test_a_sequential_jpeg_of_very_many_scans(tmp_path: Path) -> None:
    data = cv2.imencode(".jpg", np.zeros((4000, 4000), np.uint8))[1].tobytes()
    at = data.index(b"\xff\xda")
    (tmp_path / "a.jpg").write_bytes(data[:at] + data[at : at + 12] * 200 + data[at:])
    with pytest.raises(ReadError, match="limit 'scan_pixels'"):
        readers.read(tmp_path / "a.jpg")


@pytest.mark.parametrize("shape", [(2**30,), (2**12, 2**12)])
def test_labels_that_unfold(tmp_path: Path, shape: tuple[int, ...]) -> None:
    import io
    import zipfile

    from evenray.core.errors import DataError
    from evenray.data.scan.listing import listing

    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
    np.savez(tmp_path / "a.npz", train_images=np.zeros((4, 8, 8), np.uint8))
    with zipfile.ZipFile(tmp_path / "a.npz", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_labels.npy", head.getvalue() + bytes(2**20))
    with pytest.raises(DataError, match="limit 'text_values'"):
        listing(tmp_path / "a.npz", labels=None, patient=None)


def test_a_tiff_of_very_many_tags(tmp_path: Path) -> None:
    tags, pages = 3000, 400
    body = bytearray(b"II*\0" + struct.pack("<I", 8))
    for page in range(pages):
        entries = b"".join(struct.pack("<HHII", 1000 + tag, 3, 1, 1) for tag in range(tags))
        link = len(body) + 2 + len(entries) + 4 if page < pages - 1 else 0
        body += struct.pack("<H", tags) + entries + struct.pack("<I", link)
    (tmp_path / "a.tif").write_bytes(body)
    with pytest.raises(ReadError, match="limit 'tags'"):
        readers.read(tmp_path / "a.tif")


def test_the_last_of_many_pages_is_read_as_soon_as_the_first(tmp_path: Path) -> None:
    """Not page after page: the directories are walked once, and only what is asked for is decoded."""
    pages = [Pillow.fromarray(np.full((4, 4), number % 251, np.uint8)) for number in range(600)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    names = readers.fragments(tmp_path / "a.tif")
    assert len(names) == 600
    with patch("tifffile.TiffPage", wraps=tifffile.TiffPage) as decoded:
        assert readers.read(tmp_path / "a.tif", fragment=names[599]).pixels[0, 0] == 599 % 251
    assert decoded.call_count == 1


def jpeg_ls(make_dicom: Any, pixels: np.ndarray, stream: bytes) -> Path:
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGLSNearLossless

    path: Path = make_dicom(pixels, TransferSyntaxUID=JPEGLSNearLossless, PixelData=encapsulate([stream]))
    return path


def test_a_jpeg_ls_stream_that_its_decoder_never_ends(make_dicom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one's own process, where nothing else ends it. Its header is sound: a wide picture, and a large error allowed for."""
    import imagecodecs

    noise = np.random.default_rng(1).integers(0, 256, (40, 48), np.uint8)
    stream = bytearray(imagecodecs.jpegls_encode(noise))
    at = stream.index(b"\xff\xf7") + 7
    stream[at : at + 2] = b"\xff\xff"
    stream[stream.index(b"\xff\xda") + 7] = 127
    monkeypatch.setattr("evenray.core.budget.SECONDS", 0.1)
    with pytest.raises(ReadError, match="comes to no end"):
        readers.read(jpeg_ls(make_dicom, np.zeros((40, 65_535), np.uint8), bytes(stream)))


@pytest.mark.parametrize("shape", [(17, 23), (17, 23, 3)])
@pytest.mark.parametrize("planes", [False, True])
def test_jpeg_ls_whose_writer_fills_up_before_the_end(make_dicom: Any, shape: tuple[int, ...], planes: bool) -> None:
    """As MR1_JLSL of the DICOM working group's samples does, which CharLS takes for damage."""
    import jpeg_ls as charls

    pixels = (np.arange(np.prod(shape)).reshape(shape) // 2).astype(np.uint8)
    given = np.ascontiguousarray(pixels.transpose(2, 0, 1)) if planes and pixels.ndim == 3 else pixels
    stream = bytes(charls.encode_array(given, interleave_mode=None if pixels.ndim == 2 else 0 if planes else 2))
    filled = stream.removesuffix(b"\xff\xd9") + b"\0\xff\xd9"
    assert np.array_equal(readers.read(jpeg_ls(make_dicom, pixels, filled)).pixels, pixels)
    assert np.array_equal(readers.read(jpeg_ls(make_dicom, pixels, stream)).pixels, pixels)
    with pytest.raises(ReadError, match="damaged or incomplete"):
        readers.read(jpeg_ls(make_dicom, pixels, stream[: len(stream) // 2] + b"\xff\xd9"))
