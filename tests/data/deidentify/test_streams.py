"""Streams that say nothing beside their pixels: whatever was planted is gone, and every decoder shows the same picture."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from evenray.data.deidentify.streams import UnsoundStream, bare_jpeg, bare_png, begins, blanked
from evenray.images.readers import read

NAME = b"Kanarie^Minsu"
PICTURE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (40, 56, 3), np.uint8), (5, 5), 0)


def jpeg(*options: int) -> bytes:
    return cv2.imencode(".jpg", PICTURE, list(options))[1].tobytes()


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def planted_jpeg(data: bytes, turn: int) -> bytes:
    exif = Pillow.Exif()
    exif[274], exif[0x010E], exif[0x013B] = turn, NAME.decode(), NAME.decode()
    beside = segment(0xE1, exif.tobytes()) + segment(0xFE, NAME) + segment(0xED, b"Photoshop 3.0\0" + NAME)
    beside += segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + NAME) + segment(0xE2, b"ICC_PROFILE\0\1\1" + NAME)
    scans = data.rindex(b"\xff\xda")  # before the last scan, which a progressive file has several of
    within = segment(0xFE, NAME) if data.count(b"\xff\xda") > 1 else b""
    return data[:2] + beside + data[2:scans] + within + data[scans:] + NAME


@pytest.mark.parametrize("turn", [1, 6])
@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)])
def test_a_jpeg_is_its_pixels_and_its_orientation(tmp_path: Path, options: tuple[int, ...], turn: int) -> None:
    before = planted_jpeg(jpeg(*options), turn)
    after = bare_jpeg(before)
    assert NAME in before
    assert b"Kanarie" not in after
    (tmp_path / "a.jpg").write_bytes(before)
    (tmp_path / "b.jpg").write_bytes(after)
    assert np.array_equal(read(tmp_path / "a.jpg").pixels, read(tmp_path / "b.jpg").pixels)
    assert read(tmp_path / "b.jpg").shape == ((40, 56) if turn == 1 else (56, 40))
    assert bare_jpeg(after) == after


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("turn", [1, 8])
def test_a_png_is_its_pixels_and_its_orientation(tmp_path: Path, turn: int) -> None:
    data = cv2.imencode(".png", PICTURE)[1].tobytes()
    exif = Pillow.Exif()
    exif[274], exif[0x010E] = turn, NAME.decode()
    beside = (
        chunk(b"tEXt", b"Patient\0" + NAME)
        + chunk(b"iTXt", b"Patient\0\0\0\0\0" + NAME)
        + chunk(b"zTXt", b"P\0\0" + zlib.compress(NAME))
    )
    beside += chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + chunk(b"prVt", NAME)
    before = data[:33] + beside + data[33:] + NAME
    after = bare_png(before)
    assert b"Kanarie" not in after
    assert zlib.compress(NAME) not in after
    (tmp_path / "a.png").write_bytes(before)
    (tmp_path / "b.png").write_bytes(after)
    assert np.array_equal(read(tmp_path / "a.png").pixels, read(tmp_path / "b.png").pixels)
    assert bare_png(after) == after


def j2k_planted() -> bytes:
    data = bytes(imagecodecs.jpeg2k_encode(PICTURE[..., 0], level=0, codecformat="j2k"))
    at = data.index(b"\xff\x52")  # COD: comments may stand before it
    tile = data.index(b"\xff\x90")
    header = data[:at] + segment(0x64, b"\0\1" + NAME) + data[at:tile]
    length = int.from_bytes(data[tile + 6 : tile + 10], "big")
    inside = segment(0x64, b"\0\1" + NAME)
    part = data[tile : tile + 6] + (length + len(inside)).to_bytes(4, "big") + data[tile + 10 : tile + 12] + inside
    return header + part + data[tile + 12 :] + NAME


STREAMS = {
    "JPEG": planted_jpeg(jpeg(), 1),
    "JPEG-LS": (data := bytes(imagecodecs.jpegls_encode(PICTURE[..., 0])))[:2] + segment(0xFE, NAME) + data[2:] + NAME,
    "JPEG 2000": j2k_planted(),
}
DECODE = {
    "JPEG": imagecodecs.jpeg8_decode,
    "JPEG-LS": imagecodecs.jpegls_decode,
    "JPEG 2000": imagecodecs.jpeg2k_decode,
}


@pytest.mark.parametrize("kind", list(STREAMS))
def test_frames_keep_their_length_and_their_pixels(kind: str) -> None:
    before = STREAMS[kind]
    after = blanked(before)
    assert begins(before)
    assert b"Kanarie" in before
    assert b"Kanarie" not in after
    assert len(after) == len(before)
    assert np.array_equal(DECODE[kind](before), DECODE[kind](after))
    assert blanked(after) == after


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(list(STREAMS)), place=st.integers(2, 2000), cut=st.booleans(), byte=st.integers(0, 255))
def test_a_damaged_stream_is_refused_or_kept_no_longer(kind: str, place: int, cut: bool, byte: int) -> None:
    data = bytearray(STREAMS[kind])
    place = min(place, len(data) - 1)
    data = data[:place] if cut else data
    if not cut:
        data[place] = byte
    with suppress(UnsoundStream):
        assert len(blanked(bytes(data))) == len(data)
