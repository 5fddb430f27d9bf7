"""What copies of JPEGs keep, as Pillow reads it."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags
from PIL import Image as Pillow

from evenray.images import readers
from evenray.images.writers.raster_jpeg import copied

Y, X = np.mgrid[:40, :60]
GREY = (X * 3 + Y).astype(np.uint8)
COLOUR = np.dstack([GREY, GREY // 2, 255 - GREY])


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg(path: Path, *segments: bytes, pixels: np.ndarray = GREY, **options: object) -> Path:
    """A JPEG with more segments behind its first."""
    Pillow.fromarray(pixels).save(path, **options)
    data = path.read_bytes()
    head = 4 + int.from_bytes(data[4:6], "big")
    path.write_bytes(data[:head] + b"".join(segments) + data[head:])
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_copy_stands_upright_and_keeps_its_exif(
    tmp_path: Path, copy_of: Callable[[Path], Path], exif_block: Callable[..., bytes], orientation: int
) -> None:
    source = jpeg(tmp_path / "a.jpg", exif=exif_block(orientation), dpi=(300, 150))
    with Pillow.open(copy_of(source)) as copy:
        exif = copy.getexif()
        sideways = orientation > 4
        assert np.abs(np.asarray(copy).astype(int) - readers.read(tmp_path / "copy-a.jpg").pixels).max() == 0
        assert copy.size == ((40, 60) if sideways else (60, 40))
        assert exif[274] == 1
        assert exif[272] == "Scanner 9"
        assert (exif[282], exif[283]) == ((150, 300) if sideways else (300, 150))
        assert copy.info["dpi"] == exif_pair(exif, 282)
        inner = exif.get_ifd(34665)
        assert (inner[40962], inner[40963]) == copy.size


def exif_pair(exif: Pillow.Exif, tag: int) -> tuple[int, int]:
    return int(exif[tag]), int(exif[tag + 1])


def test_colour_profile_xmp_comment_and_others_stay(
    tmp_path: Path, copy_of: Callable[[Path], Path], profile: bytes
) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    source = jpeg(
        tmp_path / "a.jpg",
        segment(0xE5, b"of some maker"),
        segment(0xEC, b"Ducky"),
        segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"),
        segment(0xE2, b"MPF\0MM\0*"),
        pixels=COLOUR,
        icc_profile=profile + bytes(100_000),  # of two segments
        xmp=packet,
        comment=b"left knee",
    )
    data = copy_of(source).read_bytes()
    with Pillow.open(io.BytesIO(data)) as copy:
        assert copy.info["icc_profile"] == profile + bytes(100_000)
        assert copy.info["xmp"] == packet  # the reader has not turned what only XMP tells
        assert copy.info["comment"] == b"left knee"
        marks = [name for name, _ in copy.applist]
        assert {"APP5", "APP12"} <= set(marks)
        assert "APP14" not in marks
        assert b"MPF\0" not in data


def test_xmp_no_longer_turns_what_exif_has_turned(
    tmp_path: Path, copy_of: Callable[[Path], Path], exif_block: Callable[..., bytes]
) -> None:
    source = jpeg(tmp_path / "a.jpg", exif=exif_block(6), xmp=b"<tiff:Orientation>6</tiff:Orientation>")
    with Pillow.open(copy_of(source)) as copy:
        assert copy.info["xmp"] == b"<tiff:Orientation>1</tiff:Orientation>"


def test_the_preview_of_the_picture_before_goes(tmp_path: Path, copy_of: Callable[[Path], Path]) -> None:
    small = io.BytesIO()
    Pillow.fromarray(GREY[:8, :8]).save(small, "jpeg")
    first, second, length = 8, 8 + 18, len(small.getvalue())
    block = struct.pack(">2sHI", b"MM", 42, first)
    block += struct.pack(">HHHI4sI", 1, 272, 2, 4, b"CR9\0", second)
    block += (
        struct.pack(">H", 2) + struct.pack(">HHII", 513, 4, 1, second + 30) + struct.pack(">HHII", 514, 4, 1, length)
    )
    block += bytes(4) + small.getvalue()
    photoshop = b"8BIM\x04\x0c\0\0\0\0\0\x03abc\0" + b"8BIM\x04\x04\0\0\0\0\0\x04IPTC"
    source = jpeg(
        tmp_path / "a.jpg",
        segment(0xE1, b"Exif\0\0" + block),
        segment(0xED, b"Photoshop 3.0\0" + photoshop),
    )
    with Pillow.open(source) as before, Pillow.open(copy_of(source)) as after:
        assert before.getexif().get_ifd(ExifTags.IFD.IFD1)[514] == length
        assert not after.getexif().get_ifd(ExifTags.IFD.IFD1)
        assert after.getexif()[272] == "CR9"
        assert set(before.info["photoshop"]) == {0x40C, 0x404}
        assert after.info["photoshop"] == {0x404: b"IPTC"}


def test_a_profile_of_cmyk_does_not_stay_with_rgb(
    tmp_path: Path, copy_of: Callable[[Path], Path], cmyk_profile: bytes
) -> None:
    source = tmp_path / "a.jpg"
    Pillow.fromarray(COLOUR).convert("CMYK").save(source, icc_profile=cmyk_profile, comment=b"kept")
    with Pillow.open(copy_of(source)) as copy:
        assert copy.mode == "RGB"
        assert "icc_profile" not in copy.info
        assert copy.info["comment"] == b"kept"


@pytest.mark.parametrize(
    "bad",
    [
        segment(0xE1, b"Exif\0\0"),
        segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
        segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
        segment(0xE2, b"ICC_PROFILE\0"),
        segment(0xE2, b"ICC_PROFILE\0\1\2" + bytes(200)),
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\xff\xff\xff\xff"),
        segment(0xE0, b"JFIF\0\1\1\7\0\0\0\0\0\0"),
    ],
)
def test_damaged_blocks_are_left_out(tmp_path: Path, copy_of: Callable[[Path], Path], bad: bytes) -> None:
    source = jpeg(tmp_path / "a.jpg", bad, segment(0xFE, b"kept"))
    data = copy_of(source).read_bytes()
    assert bad not in data
    with Pillow.open(io.BytesIO(data)) as copy:
        assert copy.info["comment"] == b"kept"


def test_a_copy_of_a_jpeg_that_says_nothing_says_nothing(tmp_path: Path, copy_of: Callable[[Path], Path]) -> None:
    data = copy_of(jpeg(tmp_path / "a.jpg")).read_bytes()
    assert data[20:22] == b"\xff\xdb"  # tables follow the encoder's own APP0


@pytest.mark.filterwarnings("ignore:Metadata Warning")  # Pillow's, of numbers that are too many
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_a_block_holds_the_copy_is_sound(data: st.DataObject) -> None:
    pixels = io.BytesIO()
    Pillow.fromarray(GREY).save(pixels, "jpeg")
    exif = Pillow.Exif()
    exif[274], exif[282], exif[283] = 6, 3.0, 4.0
    exif.get_ifd(34665)[40962] = 7
    block = bytearray(exif.tobytes())
    for _ in range(data.draw(st.integers(1, 6))):
        block[data.draw(st.integers(6, len(block) - 1))] = data.draw(st.integers(0, 255))
    found = pixels.getvalue()
    copy = b"".join(copied(found[:2] + segment(0xE1, bytes(block)) + found[2:], found))
    with Pillow.open(io.BytesIO(copy)) as back:
        assert np.array_equal(np.asarray(back), np.asarray(Pillow.open(pixels)))
