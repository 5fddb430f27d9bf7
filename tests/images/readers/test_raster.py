"""Pictures against OpenCV, Pillow, tifffile and values written by hand."""

from __future__ import annotations

import dataclasses
import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from evenray.core.errors import ReadError
from evenray.images.readers import LIMITS, fragments, read, sniff

RNG = np.random.default_rng(11)
GREY8 = RNG.integers(0, 256, (20, 30), np.uint8)
GREY16 = RNG.integers(0, 65536, (20, 30)).astype(np.uint16)
COLOUR8 = RNG.integers(0, 256, (20, 30, 3), np.uint8)


def save(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def pillow(pixels: np.ndarray | Pillow.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = pixels if isinstance(pixels, Pillow.Image) else Pillow.fromarray(pixels)
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def encoded(kind: str, pixels: np.ndarray) -> bytes:
    return cv2.imencode(f".{kind}", pixels if pixels.ndim == 2 else pixels[..., ::-1])[1].tobytes()


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("pixels", [GREY8, GREY16, COLOUR8], ids=["grey8", "grey16", "colour8"])
def test_lossless_pictures(tmp_path: Path, kind: str, pixels: np.ndarray) -> None:
    image = read(save(tmp_path / "wrongly_named.jpg", encoded(kind, pixels)))
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.pixels.dtype == pixels.dtype
    assert image.value_range == (0, np.iinfo(pixels.dtype).max)
    assert (image.header["format"], image.header["channels_in_file"]) == (kind, 1 if pixels.ndim == 2 else 3)


@pytest.mark.parametrize(
    ("kind", "pixels"), [("bmp", GREY8), ("bmp", COLOUR8), ("pgm", GREY8), ("pgm", GREY16), ("ppm", COLOUR8)]
)
def test_plain_pictures(tmp_path: Path, kind: str, pixels: np.ndarray) -> None:
    image = read(save(tmp_path / "a", encoded(kind, pixels)))
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.header["format"] == kind


@pytest.mark.parametrize("pixels", [GREY8, COLOUR8], ids=["grey", "colour"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_as_opencv_decodes_it(tmp_path: Path, pixels: np.ndarray, progressive: bool) -> None:
    data = pillow(pixels, "JPEG", quality=90, progressive=progressive)
    reference = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(
        read(save(tmp_path / "a", data)).pixels, reference if reference.ndim == 2 else reference[..., ::-1]
    )


def test_grey_saved_in_colour_becomes_grey(tmp_path: Path) -> None:
    image = read(save(tmp_path / "a", encoded("png", np.dstack([GREY8] * 3))))
    np.testing.assert_array_equal(image.pixels, GREY8)
    assert image.header["channels_in_file"] == 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_jpeg(tmp_path: Path, orientation: int) -> None:
    smooth = np.add.outer(np.arange(24) * 3, np.arange(40) * 2).astype(np.uint8)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    turned = {
        1: smooth, 2: smooth[:, ::-1], 3: smooth[::-1, ::-1], 4: smooth[::-1], 5: smooth.T, 6: smooth.T[:, ::-1],
        7: smooth[::-1, ::-1].T, 8: smooth.T[::-1],
    }[orientation]  # fmt: skip
    image = read(save(tmp_path / "a", pillow(smooth, "JPEG", quality=100, exif=exif.tobytes())))
    assert image.shape == turned.shape
    assert np.abs(image.pixels.astype(int) - turned).max() <= 3


def test_transparent_pixels_are_missing(tmp_path: Path) -> None:
    alpha = np.where(GREY8 > 100, 255, 0).astype(np.uint8)
    for channels in (np.dstack([GREY8, alpha]), np.dstack([COLOUR8, alpha])):
        picture = Pillow.fromarray(channels, "LA" if channels.shape[2] == 2 else "RGBA")
        image = read(save(tmp_path / "a", pillow(picture, "PNG")))
        np.testing.assert_array_equal(image.valid, alpha > 0)
        np.testing.assert_array_equal(image.pixels, channels[..., 0] if channels.shape[2] == 2 else COLOUR8)
        (tmp_path / "a").unlink()


def test_opaque_alpha_is_dropped_with_its_reason(tmp_path: Path) -> None:
    image = read(save(tmp_path / "a", pillow(np.dstack([COLOUR8, np.full_like(GREY8, 255)]), "PNG")))
    assert image.valid is None
    assert image.header["alpha"] == "dropped: opaque everywhere"


def test_palette_png(tmp_path: Path) -> None:
    picture = Pillow.fromarray(COLOUR8).convert("P", palette=Pillow.Palette.ADAPTIVE, colors=16)
    np.testing.assert_array_equal(read(save(tmp_path / "a", pillow(picture, "PNG"))).pixels, picture.convert("RGB"))


def test_twelve_bits_in_sixteen_are_noticed_and_can_be_told(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", encoded("png", GREY16 >> 4))
    assert read(path).value_range == (0, 65535)
    assert read(path).header["largest_value"] == (GREY16 >> 4).max()
    assert read(path, value_range=(0, 4095)).value_range == (0, 4095)


@pytest.mark.parametrize(("body", "high"), [(b"P2\n# made by hand\n2 2\n4095\n0 7\n9 4095\n", 4095)])
def test_pgm_declares_its_white(tmp_path: Path, body: bytes, high: int) -> None:
    image = read(save(tmp_path / "a", body))
    assert image.pixels.tolist() == [[0, 7], [9, 4095]]
    assert image.value_range == (0, high)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"tile": (16, 16)},
        {"compression": "zlib", "predictor": True},
        {"photometric": "miniswhite"},
    ],
    ids=str,
)
def test_tiff_layouts(tmp_path: Path, options: dict[str, object]) -> None:
    expected = 65535 - GREY16 if "photometric" in options else GREY16
    np.testing.assert_array_equal(read(save(tmp_path / "a", tiff(GREY16, **options))).pixels, expected)


def test_white_is_zero_at_eight_bits(tmp_path: Path) -> None:
    image = read(save(tmp_path / "a", tiff(GREY8, photometric="miniswhite")))
    np.testing.assert_array_equal(image.pixels, 255 - GREY8)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32, np.float32, np.float64])
def test_tiff_types(tmp_path: Path, dtype: type) -> None:
    values = (GREY16.astype(np.float64) - 30000).astype(dtype) if dtype != np.int8 else GREY8.view(np.int8)
    image = read(save(tmp_path / "a", tiff(values, photometric="minisblack")))
    np.testing.assert_allclose(image.pixels, values, rtol=1e-6)
    if np.dtype(dtype).itemsize > 2:
        np.testing.assert_allclose(image.value_range, (values.min(), values.max()), rtol=1e-6)


def test_nan_in_a_float_tiff_is_missing(tmp_path: Path) -> None:
    values = GREY8.astype(np.float32)
    values[3, 4] = np.nan
    image = read(save(tmp_path / "a", tiff(values)))
    assert np.argwhere(~image.valid).tolist() == [[3, 4]]
    assert np.isfinite(image.pixels).all()


def test_tiff_pages(tmp_path: Path) -> None:
    path = save(tmp_path / "a", tiff(np.stack([GREY16, GREY16 // 2, GREY16 // 3]), photometric="minisblack"))
    assert fragments(path) == ["page=0", "page=1", "page=2"]
    for index in range(3):
        np.testing.assert_array_equal(read(path, fragment=f"page={index}").pixels, GREY16 // (index + 1))
    with pytest.raises(ReadError, match="page=0 to page=2"):
        read(path, fragment="page=3")


def test_a_preview_is_not_a_page(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(GREY8[::2, ::2], subfiletype=1)
        writer.write(GREY16)
    path = save(tmp_path / "a", buffer.getvalue())
    assert fragments(path) == [""]
    np.testing.assert_array_equal(read(path).pixels, GREY16)


def test_a_tiff_whose_directories_form_a_loop(tmp_path: Path) -> None:
    data = bytearray(tiff(GREY8))
    at = struct.unpack("<I", data[4:8])[0]
    count = struct.unpack("<H", data[at : at + 2])[0]
    data[at + 2 + 12 * count : at + 6 + 12 * count] = struct.pack("<I", at)
    with pytest.raises(ReadError, match="directory"):
        read(save(tmp_path / "a", bytes(data)))


def png(columns: int, rows: int, body: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_bombs_hit_their_limit(tmp_path: Path) -> None:
    bomb = png(60000, 60000, zlib.compress(b"\0" * 1000))
    with pytest.raises(ReadError, match="limit 'pixels'"):
        read(save(tmp_path / "a.png", bomb))
    jpeg = b"\xff\xd8\xff\xc0\0\x0b\x08" + struct.pack(">HH", 60000, 60000) + b"\1\1\x11\0\xff\xda\0\2\xff\xd9"
    with pytest.raises(ReadError, match="limit 'pixels'"):
        read(save(tmp_path / "a.jpg", jpeg))
    with pytest.raises(ReadError, match="limit 'pixels'"):
        read(save(tmp_path / "a.pgm", b"P5 60000 60000 255 "))
    bmp = bytearray(encoded("bmp", GREY8))
    bmp[18:26] = struct.pack("<ii", 60000, -60000)
    with pytest.raises(ReadError, match="limit 'pixels'"):
        read(save(tmp_path / "a.bmp", bytes(bmp)))
    with pytest.raises(ReadError, match="limit 'pixels'"):
        read(save(tmp_path / "a.tif", _wide()))


def _wide() -> bytes:
    """A TIFF whose header claims 3 billion columns."""
    data = tiff(GREY8)
    at = struct.unpack("<I", data[4:8])[0]
    for place in range(at + 2, at + 2 + 12 * struct.unpack("<H", data[at : at + 2])[0], 12):
        if data[place : place + 2] == struct.pack("<H", 256):
            return data[: place + 2] + struct.pack("<HII", 4, 1, 3_000_000_000) + data[place + 12 :]
    raise AssertionError("no ImageWidth")


def test_a_progressive_jpeg_of_very_many_scans_hits_its_limit(tmp_path: Path, monkeypatch) -> None:
    path = save(tmp_path / "a", pillow(COLOUR8, "JPEG", progressive=True))
    monkeypatch.setattr("evenray.images.readers._limits.LIMITS", dataclasses.replace(LIMITS, scan_pixels=1000))
    with pytest.raises(ReadError, match="limit 'scan_pixels'"):
        read(path)


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_half_picture_is_no_picture(tmp_path: Path, kind: str) -> None:
    """OpenCV decodes some of these, with grey where the rest should be."""
    smooth = cv2.GaussianBlur(cv2.resize(GREY8, (600, 400)), (9, 9), 0)
    data = encoded(kind, smooth)
    for share in (0.3, 0.6, 0.99):
        with pytest.raises(ReadError, match="truncated"):
            read(save(tmp_path / f"{share}", data[: int(len(data) * share)]))


def test_a_png_with_a_flipped_bit_is_damaged(tmp_path: Path) -> None:
    data = bytearray(encoded("png", GREY8))
    data[len(data) // 2] ^= 4
    with pytest.raises(ReadError, match="checksum"):
        read(save(tmp_path / "a", bytes(data)))


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"", "is empty"),
        (b"\0" * 64, "zeros only"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<!DOCTYPE html>", "web page"),
        (b"GIF89a......", "GIF"),
        (b"hello, world", "is not an image"),
    ],
)
def test_foreign_files_are_called_by_their_name(tmp_path: Path, start: bytes, reason: str) -> None:
    path = save(tmp_path / "a", start)
    with pytest.raises(ReadError, match=reason):
        read(path)
    if start:
        assert sniff(path) is None


def test_places_that_are_no_files(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path, "is a folder"),
        (tmp_path / "nowhere.png", "does not exist"),
        ("/dev/null", "not a"),
    ):
        with pytest.raises(ReadError, match=reason):
            read(path)


def test_nothing_is_written_to_the_console(tmp_path: Path, capfd) -> None:
    for kind in ("png", "tiff", "bmp", "pgm"):
        data = encoded(kind, GREY8)
        with pytest.raises(ReadError):
            read(save(tmp_path / kind, data[: len(data) * 2 // 3]))
    assert "".join(capfd.readouterr()) == ""


def test_tiff_of_16_bit_floats(tmp_path: Path) -> None:
    pixels = np.linspace(0, 3, 20, dtype=np.float16).reshape(4, 5)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    assert np.array_equal(read(tmp_path / "a.tif").pixels, pixels)


def test_jpeg_ls_is_not_called_damaged(evenray_data: Path) -> None:
    files = sorted((evenray_data / "dicom").rglob("*.JLS"))
    assert files
    for path in files:
        with pytest.raises(ReadError, match="JPEG-LS, which are read inside DICOM"):
            read(path)
