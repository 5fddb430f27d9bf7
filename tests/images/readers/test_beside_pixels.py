"""What files carry beside their pixels (profiles, Exif, texts, animations), made to take hours or gigabytes; and digits of PNM.

Each file is read as the picture that it holds, or refused in a sentence.
"""

from __future__ import annotations

import resource
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from evenray.core.errors import ReadError
from evenray.images import readers
from evenray.images.writers import write

from .packed import packed_zeros

GREY = (np.arange(60, dtype=np.uint8) * 4).reshape(6, 10)
PNG, JPEG = (cv2.imencode(ending, GREY)[1].tobytes() for ending in (".png", ".jpg"))
BOMB = packed_zeros(256)  # in 256 kB
SIDEWAYS = 6


def chunk(kind: bytes, data: bytes, wrong: int = 0) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ wrong)


def png(*more: bytes) -> bytes:
    return PNG[:33] + b"".join(more) + PNG[33:]


def header(columns: int, rows: int, depth: int = 8, colour: int = 0, order: int = 0) -> bytes:
    return PNG[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, order)) + PNG[33:]


def directory(*entries: tuple[int, int, int, int], link: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", link)


def exif(*entries: tuple[int, int, int, int], link: int = 0) -> bytes:
    return b"II*\0\x08\0\0\0" + directory(*entries, link=link)


def deep() -> bytes:
    """Directories of which each points to the next, three thousand deep."""
    block = bytearray(b"II*\0\x08\0\0\0")
    for _ in range(3000):
        after = len(block) + 2 + 12 + 4
        block += directory((0x8769, 4, 1, after), link=after)
    return bytes(block)


BLOCKS = {
    "loop": exif((0x112, 3, 1, SIDEWAYS), (0x8769, 4, 1, 8), link=8),
    "tree": exif((0x14A, 4, 3000, 26)) + struct.pack("<I", 8) * 3000,
    "deep": deep(),
    "counts": exif((0x112, 3, 2**32 - 1, 8), (0x10E, 2, 2**32 - 1, 8), (0x927C, 7, 2**31, 8)),
    "offsets": exif((0x112, 3, 3, 2**32 - 9)),
    "empty": b"",
    "short": b"II*\0",
}


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    return (
        JPEG[:2] + b"".join(struct.pack(">BBH", 255, kind, len(body) + 2) + body for kind, body in segments) + JPEG[2:]
    )


def profile(number: int, count: int, data: bytes) -> tuple[int, bytes]:
    return 0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + data


def read(path: Path, data: bytes) -> np.ndarray:
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pixels = readers.read(path).pixels
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB, with what is imported
    return pixels


@pytest.mark.parametrize("name", BLOCKS)
def test_exif_blocks_that_lie_or_run_in_circles(tmp_path: Path, name: str) -> None:
    """Orientation is read of the first directory alone, and counts where its value is in the block."""
    upright = read(tmp_path / "a.jpg", JPEG)
    for data, plain in (
        (jpeg((0xE1, b"Exif\0\0" + BLOCKS[name][:65000])), upright),
        (png(chunk(b"eXIf", BLOCKS[name])), GREY),
    ):
        expected = np.rot90(plain, -1) if name == "loop" else plain
        assert np.array_equal(read(tmp_path / "b", data), expected)


@pytest.mark.parametrize(
    "data",
    [
        png(chunk(b"zTXt", b"x\0\0" + BOMB)),
        png(chunk(b"iTXt", b"x\0\1\0\0\0" + BOMB)),
        png(chunk(b"iCCP", b"x\0\0" + BOMB)),
        png(chunk(b"iCCP", b"x\0\0" + zlib.compress(struct.pack(">I", 2**31) + bytes(124)))),
        png(chunk(b"iCCP", b"x" * 200 + b"\0\0no zlib stream")),
        png(*[chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(10**6)))] * 300),
        png(chunk(b"tRNS", bytes(5000))),
        png(
            chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)),
            chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 2**31 - 1, 2**31 - 1, 0, 0, 1, 10, 0, 0)),
            chunk(b"fdAT", bytes(4) + BOMB),
        ),
    ],
)
def test_chunks_that_unfold_or_lie_are_left_packed(
    tmp_path: Path, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert np.array_equal(read(tmp_path / "a.png", data), GREY)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(chunk(b"tEXt", b"a\0b", wrong=1)), "checksum"),
        (PNG[:33] + struct.pack(">I", 2**32 - 1) + b"tEXt" + PNG[33:], "no end"),
        (header(2**31 - 1, 2**31 - 1), "limit 'pixels'"),
        (header(2**26, 1), "1,000,000 of each"),
        (header(0, 9), "0 x 9 pixels"),
        (header(10, 6, 3, 7), "type 7 and 3 bits"),
        (header(10, 6, order=2), "the file is damaged"),
        (header(10, 6, colour=3), "damaged"),  # a palette picture without a palette
        (header(8192, 8192, 16, 6, 1), "truncated or damaged"),
        (PNG[:33] + chunk(b"IDAT", BOMB) + chunk(b"IEND", b""), "more than unpacked ones"),
    ],
)
def test_pngs_that_are_refused(tmp_path: Path, data: bytes, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ReadError, match=reason):
        read(tmp_path / "a.png", data)


def test_a_png_with_transparency_lies_as_its_exif_block_says(tmp_path: Path) -> None:
    pixels = np.dstack([GREY, GREY[::-1], GREY, np.where(GREY > 9, 255, 0).astype(np.uint8)])
    data = cv2.imencode(".png", pixels)[1].tobytes()
    path, copy = tmp_path / "a.png", tmp_path / "b.png"
    path.write_bytes(data[:33] + chunk(b"eXIf", exif((0x112, 3, 1, SIDEWAYS))) + data[33:])
    image, expected = readers.read(path), np.rot90(pixels, -1)
    assert np.array_equal(image.pixels, expected[..., 2::-1])
    assert image.valid is not None
    assert np.array_equal(image.valid, expected[..., 3] > 0)
    write(path, copy, {"": image}, "x")
    again = readers.read(copy)
    assert np.array_equal(again.pixels, image.pixels)
    assert again.valid is not None
    assert np.array_equal(again.valid, image.valid)


@pytest.mark.parametrize(
    "segments",
    [
        [profile(1, 255, struct.pack(">I", 2**31) + bytes(200))],
        [profile(0, 0, b""), profile(9, 3, bytes(9))],
        [profile(number, 255, bytes(65_000)) for number in range(1, 256)],  # as large as one can be
        [(0xE1, b"Exif\0\0" + bytes(65_000))] * 200,
    ],
)
def test_profiles_of_a_jpeg(tmp_path: Path, segments: list[tuple[int, bytes]]) -> None:
    assert np.array_equal(read(tmp_path / "a.jpg", jpeg(*segments)), read(tmp_path / "b.jpg", JPEG))


def test_very_many_segments_before_a_jpeg(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="without a picture"):
        read(tmp_path / "a.jpg", jpeg(*[(0xEF, b"")] * 20_000))


@pytest.mark.parametrize("tag", [34675, 33723, 34377, 700])
def test_profiles_of_a_tiff(tmp_path: Path, tag: int) -> None:
    lying = struct.pack(">I", 2**31) + bytes(2**22)
    tifffile.imwrite(tmp_path / "a.tif", GREY, extratags=[(tag, 7, len(lying), lying, True)])
    assert np.array_equal(readers.read(tmp_path / "a.tif").pixels, GREY)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"P2 64 64 255 " + b"9" * 5_000_000, "no whole number"),
        (b"P2 64 64 255 " + (b"9" * 1000 + b" ") * 4096, "no whole number"),
        (b"P2 2 2 255 -1 -1 3 4", "no whole number"),
        (b"P2 2 2 255 1e3 nan 3 4", "no whole number"),
        (b"P2 2 2 255 0x1 1_0 3 4", "no whole number"),
        ("P2 2 2 255 \uff11 2 3 4".encode(), "no whole number"),
        (b"P2 2 2 255 1\0 2 3 4", "no whole number"),
        (b"P2 4 4 255 " + b" " * 9_000_000, "ends after 0 of 16"),
        (b"P5" + b"\n#\n" * 21_000, "its header"),
        (b"P5" + b" #" * 32_000, "its header"),
        (b"P5 999999999 999999999 255\n1", "limit 'pixels'"),
        (b"P3 8000 8000 255 1", "limit 'text_values'"),
        (b"P6 8000 8000 255\n" + bytes(99), "ends after 99"),
        (b"P5 2 2 0\n1234", "up to 0"),
    ],
)
def test_digits_and_headers_of_pnm(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        read(tmp_path / "a.pgm", data)
