"""What copies of PNGs keep, as Pillow reads it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from evenray.images import readers
from evenray.images.writers.raster_png import copied, grey_with_alpha

Y, X = np.mgrid[:40, :60]
GREY = (X * 3 + Y).astype(np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path: Path, *chunks: bytes, pixels: np.ndarray = GREY, **options: object) -> Path:
    """A PNG with more chunks behind its header."""
    Pillow.fromarray(pixels).save(path, **options)
    data = path.read_bytes()
    path.write_bytes(data[:33] + b"".join(chunks) + data[33:])
    return path


def names(path: Path) -> list[bytes]:
    data, at, found = path.read_bytes(), 8, []
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.append(kind)
        at += 12 + length
    return found


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA", "I;16"])
def test_a_copy_stands_as_it_is_shown(
    tmp_path: Path, copy_of: Callable[[Path], Path], exif_block: Callable[..., bytes], orientation: int, mode: str
) -> None:
    """Turned, with alpha too."""
    pixels = GREY.astype(np.uint16) * 257 if mode == "I;16" else np.asarray(Pillow.fromarray(GREY).convert(mode))
    if mode.endswith("A"):
        pixels = pixels.copy()
        pixels[:5, :9, -1] = 0
    source = png(tmp_path / "a.png", chunk(b"pHYs", struct.pack(">IIB", 11811, 5906, 1)), pixels=pixels,
                 exif=exif_block(orientation))  # fmt: skip
    with Pillow.open(source) as before, Pillow.open(copy_of(source)) as copy:
        exif, turned = copy.getexif(), orientation != 1
        assert exif[274] == (1 if turned else orientation)
        assert exif[272] == "Scanner 9"
        sideways = turned and orientation > 4
        assert copy.mode == before.mode == mode
        assert copy.size == ((40, 60) if sideways else (60, 40))
        assert copy.info["dpi"] == pytest.approx((150, 300) if sideways else (300, 150), abs=0.1)
        assert (exif[282], exif[283]) == ((150, 300) if sideways else (300, 150))


def test_colour_texts_and_private_chunks_stay(tmp_path: Path, copy_of: Callable[[Path], Path], profile: bytes) -> None:
    info = PngInfo()
    info.add_text("Title", "left knee")
    info.add_itxt("Remark", "무릎", "ko", "비고")
    info.add_text("Long", "a" * 3000, zip=True)
    source = png(
        tmp_path / "a.png",
        chunk(b"gAMA", struct.pack(">I", 45455)),
        chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        chunk(b"sCAL", b"\x011\0002"),
        chunk(b"prVt", b"safe to copy"),
        chunk(b"prVT", b"not safe to copy"),
        chunk(b"sBIT", b"\5"),
        chunk(b"bKGD", b"\0\0"),
        chunk(b"tIME", b"\x07\xe8\1\1\0\0\0"),
        pixels=np.dstack([GREY] * 3),
        pnginfo=info,
        icc_profile=profile,
    )
    before, after = names(source), names(copy_of(source))
    assert after == [kind for kind in before if kind not in (b"prVT", b"sBIT", b"bKGD", b"tIME")]
    with Pillow.open(source) as old, Pillow.open(tmp_path / "copy-a.png") as new:
        assert new.info["icc_profile"] == profile
        assert new.text == old.text
        assert {key: new.info[key] for key in ("gamma", "chromaticity")} == {
            key: old.info[key] for key in ("gamma", "chromaticity")
        }


def test_srgb_and_texts_behind_the_pixels_stay(tmp_path: Path, copy_of: Callable[[Path], Path]) -> None:
    source = png(tmp_path / "a.png", chunk(b"sRGB", b"\1"))
    data = source.read_bytes()
    source.write_bytes(data[:-12] + chunk(b"tEXt", b"Comment\0late") + data[-12:])
    with Pillow.open(copy_of(source)) as copy:
        assert (copy.info["srgb"], copy.info["Comment"]) == (1, "late")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_with_alpha_stays_so(tmp_path: Path, copy_of: Callable[[Path], Path], dtype: type) -> None:
    high = np.iinfo(dtype).max
    grey = np.random.default_rng(0).integers(0, high, (30, 41)).astype(dtype)
    alpha = np.where(np.arange(41) > 5, high, 0).astype(dtype) + np.zeros_like(grey)
    (tmp_path / "a.png").write_bytes(grey_with_alpha(grey, alpha))
    copy = copy_of(tmp_path / "a.png").read_bytes()
    assert (copy[24], copy[25]) == (8 * grey.itemsize, 4)
    back = cv2.imdecode(np.frombuffer(copy, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(back[..., 3], alpha)
    again = readers.read(tmp_path / "copy-a.png")
    assert np.array_equal(again.pixels, back[..., 0])
    assert again.valid is not None
    assert not np.array_equal(back[..., 0], grey)
    if dtype == np.uint8:
        with Pillow.open(io.BytesIO(copy)) as shown:
            assert np.array_equal(np.asarray(shown), np.dstack([back[..., 0], alpha]))


@pytest.mark.parametrize(
    "bad",
    [
        chunk(b"iCCP", b"name\0\0not packed"),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(b"no profile")),
        chunk(b"pHYs", b"short"),
        chunk(b"pHYs", struct.pack(">IIB", 0, 0, 1)),
        chunk(b"pHYs", struct.pack(">IIB", 1, 1, 9)),
        chunk(b"gAMA", bytes(4)),
        chunk(b"cHRM", bytes(5)),
        chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
        chunk(b"eXIf", b""),
        chunk(b"tEXt", b"no end of the keyword"),
        chunk(b"tEXt", b"k" * 80 + b"\0long"),
    ],
)
def test_damaged_blocks_are_left_out(tmp_path: Path, copy_of: Callable[[Path], Path], bad: bytes) -> None:
    source = png(tmp_path / "a.png", bad, chunk(b"tEXt", b"Comment\0kept"))
    data = copy_of(source).read_bytes()
    assert bad not in data
    with Pillow.open(io.BytesIO(data)) as copy:
        assert copy.info["Comment"] == "kept"


def test_a_second_one_is_left_out(tmp_path: Path, copy_of: Callable[[Path], Path]) -> None:
    first, second = (chunk(b"gAMA", struct.pack(">I", value)) for value in (45455, 100_000))
    copy = copy_of(png(tmp_path / "a.png", first, second)).read_bytes()
    assert first in copy
    assert second not in copy


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"eXIf", b"iCCP", b"zTXt", b"iTXt", b"pHYs", b"sCAL", b"prVt"]), st.binary(max_size=60))
def test_whatever_a_block_holds_the_copy_is_sound(kind: bytes, content: bytes) -> None:
    pixels = io.BytesIO()
    Pillow.fromarray(GREY).save(pixels, "png")
    found = pixels.getvalue()
    copy = b"".join(copied(found[:33] + chunk(kind, content) + found[33:], found))
    assert np.array_equal(cv2.imdecode(np.frombuffer(copy, np.uint8), cv2.IMREAD_UNCHANGED), GREY)
