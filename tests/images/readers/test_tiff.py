"""TIFFs of all types, samples and layouts against tifffile, which shares no code with OpenCV's reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from evenray.core.errors import ReadError
from evenray.images.readers import read
from evenray.images.readers._source import Source
from evenray.images.readers.raster_tiff import decode, pages

from .packed import packed_zeros

RNG = np.random.default_rng(0)
ORIENTATION = 274


def stored(path: Path) -> np.ndarray:
    return decode(str(path), path.read_bytes(), pages(Source.of(path))[0])


@pytest.mark.parametrize("packing", [None, "zlib"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("samples", [2, 3, 4])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_samples_are_those_of_the_file(
    tmp_path: Path, kind: str, samples: int, planar: str, order: str, packing: str | None
) -> None:
    dtype = np.dtype(kind)
    pixels = (RNG.random((37, 41, samples)) * 100).astype(dtype)
    if samples != 3:
        pixels[..., -1] = np.where(RNG.random((37, 41)) < 0.5, 60, 0)  # half transparent
    extra: dict[str, Any] = {"extrasamples": ["unassalpha"]} if samples != 3 else {}
    tifffile.imwrite(
        tmp_path / "a.tif", pixels.transpose(2, 0, 1) if planar == "separate" else pixels, planarconfig=planar,
        photometric="rgb" if samples > 2 else "minisblack", byteorder=order, compression=packing, metadata=None, **extra,
    )  # fmt: skip
    assert np.array_equal(stored(tmp_path / "a.tif"), pixels)
    image = read(tmp_path / "a.tif")
    colour = pixels[..., : 1 if samples == 2 else 3].astype(image.pixels.dtype)
    assert np.array_equal(image.pixels.reshape(colour.shape), colour)
    assert (image.valid is not None) == (samples != 3)


@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_planes_are_turned_as_other_tiffs_are(tmp_path: Path, orientation: int, tile: tuple[int, int] | None) -> None:
    pixels = RNG.integers(0, 65_536, (3, 37, 41)).astype(np.uint16)
    tag = [(ORIENTATION, 3, 1, orientation, True)]
    for name, planar, content in (("a", "contig", pixels.transpose(1, 2, 0)), ("b", "separate", pixels)):
        tifffile.imwrite(
            tmp_path / f"{name}.tif", content, planarconfig=planar, photometric="rgb", extratags=tag, tile=tile
        )  # fmt: skip
    assert np.array_equal(read(tmp_path / "a.tif").pixels, read(tmp_path / "b.tif").pixels)
    assert read(tmp_path / "a.tif").shape == ((41, 37) if orientation > 4 else (37, 41))


def with_bits(path: Path, values: np.ndarray, bits: int, planes: bool = False, **options: Any) -> None:
    """A TIFF whose samples have so many bits, packed by hand: (H, W) or (planes, H, W)."""
    flat = values.reshape(-1, values.shape[-1])
    rows = [np.packbits(((row[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8).ravel()) for row in flat]
    packed = np.stack(rows).reshape(*values.shape[:-1], -1)
    tifffile.imwrite(
        path, packed, photometric="rgb" if planes else "minisblack", planarconfig="separate" if planes else None,
        metadata=None, rowsperstrip=values.shape[-2], **options,
    )  # fmt: skip
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[256].overwrite(values.shape[-1])
        file.pages[0].tags[258].overwrite((bits,) * 3 if planes else bits)


@pytest.mark.parametrize("packing", [None, "zlib", "lzw"])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
def test_samples_of_odd_bits(tmp_path: Path, bits: int, packing: str | None) -> None:
    """They fill 8 bits, or stand at the top of 16, as libtiff has it."""
    pixels = RNG.integers(0, 2**bits, (19, 23)).astype(np.uint16)
    with_bits(tmp_path / "a.tif", pixels, bits, compression=packing)
    shown = pixels * 2 ** (16 - bits) if bits > 8 else np.rint(pixels * 255 / (2**bits - 1))
    assert np.array_equal(read(tmp_path / "a.tif").pixels, shown)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_planes_of_odd_bits(tmp_path: Path, bits: int) -> None:
    """OpenCV shows memory that is not the file's."""
    pixels = RNG.integers(0, 2**bits, (3, 19, 23)).astype(np.uint16)
    with_bits(tmp_path / "a.tif", pixels, bits, planes=True)
    assert np.array_equal(read(tmp_path / "a.tif").pixels, pixels.transpose(1, 2, 0) * 2 ** (16 - bits))


PACKINGS = ["zlib", "lzw", "packbits", "lzma", "zstd", "webp", "png", "jpeg2000", "lerc"]


@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("packing", PACKINGS)
def test_packings(tmp_path: Path, packing: str, tile: tuple[int, int] | None) -> None:
    pixels = RNG.integers(0, 256, (37, 41, 3)).astype(np.uint8)
    options = {"compressionargs": {"level": 101}} if packing == "webp" else {}  # lossless
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", compression=packing, tile=tile, **options)
    assert np.array_equal(read(tmp_path / "a.tif").pixels, tifffile.imread(tmp_path / "a.tif"))
    assert np.array_equal(read(tmp_path / "a.tif").pixels, pixels)


@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("packing", ["zlib", "lzw"])
def test_a_flipped_bit_is_not_read_in_silence(
    tmp_path: Path, packing: str, predictor: bool, tile: tuple[int, int] | None
) -> None:
    """Deflate has a checksum. LZW has none, so that only what libtiff complains of (by Pillow) can be told, and more is."""
    pixels = (np.add.outer(np.arange(60), np.arange(70)) * 3 + RNG.integers(0, 9, (60, 70))).astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, pixels, compression=packing, predictor=predictor, tile=tile, rowsperstrip=None if tile else 16
    )
    data = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        places = [*zip(file.pages[0].dataoffsets, file.pages[0].databytecounts, strict=True)]
    refused = 0
    for _ in range(60):
        broken = bytearray(data)
        offset, count = places[RNG.integers(len(places))]
        broken[offset + RNG.integers(count)] ^= 1 << int(RNG.integers(8))
        path.write_bytes(broken)
        try:
            found = read(path).pixels
        except ReadError:
            refused += 1
            continue
        if packing == "zlib":
            assert np.array_equal(found, pixels)
            continue
        with Pillow.open(path) as picture:
            assert np.asarray(picture).shape == pixels.shape  # libtiff has read it to its end
    assert refused > 12


@pytest.mark.parametrize("packing", [None, "zlib", "lzw", "packbits"])
@pytest.mark.parametrize("tag", [273, 279])
def test_half_of_the_strips_or_of_their_bytes(tmp_path: Path, tag: int, packing: str | None) -> None:
    pixels = RNG.integers(0, 65_536, (64, 70)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=packing, rowsperstrip=8)
    assert np.array_equal(read(tmp_path / "a.tif").pixels, pixels)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        values = file.pages[0].tags[tag].value
        file.pages[0].tags[tag].overwrite(values[:4] if tag == 273 else tuple(count // 2 for count in values))
    with pytest.raises(ReadError, match=r"truncated|damaged"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["i1", "i2", "u1", "u2"])
def test_levels_are_those_of_the_type(tmp_path: Path, kind: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.arange(100, dtype=kind).reshape(10, 10))
    info = np.iinfo(kind)
    assert read(tmp_path / "a.tif").value_range == (info.min, info.max)


@pytest.mark.parametrize("photometric", ["separated", "cielab"])
def test_deep_colours_that_are_no_rgb_are_refused(tmp_path: Path, photometric: str) -> None:
    samples = 4 if photometric == "separated" else 3
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 9, samples), np.uint16), photometric=photometric)
    with pytest.raises(ReadError, match="colours of 16 bits; save it as RGB"):
        read(tmp_path / "a.tif")


def test_white_is_zero_beside_alpha(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 65_536, (9, 12, 2)).astype(np.uint16)
    pixels[..., 1] = 65_535
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite", extrasamples=["unassalpha"])
    assert np.array_equal(read(tmp_path / "a.tif").pixels, 65_535 - pixels[..., 0])


@pytest.mark.parametrize("opacity", [255, 90])
def test_alpha_in_lzw(tmp_path: Path, opacity: int) -> None:
    """libtiff multiplies colours by their alpha; here they are as they are stored."""
    colour = RNG.integers(0, 256, (9, 12, 4)).astype(np.uint8)
    colour[..., 3] = opacity
    Pillow.fromarray(colour).save(tmp_path / "a.tif", compression="tiff_lzw")
    assert np.array_equal(read(tmp_path / "a.tif").pixels, colour[..., :3])


@pytest.mark.parametrize("packing", [None, "zlib", "packbits"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_planes_that_are_not_all_there(tmp_path: Path, packing: str | None, tile: tuple[int, int] | None) -> None:
    """tifffile fills what is missing with zeros; a half picture is no picture."""
    pixels = RNG.integers(0, 65_536, (3, 40, 48)).astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", planarconfig="separate", tile=tile, metadata=None,
        compression=None if packing == "packbits" else packing,
    )  # fmt: skip
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        if packing == "packbits":
            file.pages[0].tags[259].overwrite(32_773)
        file.pages[0].tags[257].overwrite(400_000)  # rows
        if tile is None:
            file.pages[0].tags[278].overwrite(400_000)
    with pytest.raises(ReadError, match=r"truncated|damaged"):
        read(tmp_path / "a.tif")


def test_planes_that_unpack_to_gigabytes(tmp_path: Path) -> None:
    bomb = packed_zeros(1024)
    noise = RNG.integers(0, 65_536, (3, 512, 512)).astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", noise, photometric="rgb", planarconfig="separate", compression="zlib", rowsperstrip=512
    )
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data += bomb
    (tmp_path / "a.tif").write_bytes(data)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        file.pages[0].tags[273].overwrite((len(data) - len(bomb),) * 3)
        file.pages[0].tags[279].overwrite((len(bomb),) * 3)
    with pytest.raises(ReadError, match="pixels"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("white", "black"),
    [(np.array([[-1, -1021], [-501, -1]], np.int16), [[0, 1020], [500, 0]]),
     (np.array([[1, 0.25], [0.5, 1]], np.float32), [[0.25, 1], [0.75, 0.25]]),
     (np.array([[255, 0], [5, 255]], np.uint8), [[0, 255], [250, 0]]),
     (np.array([[65535, 0], [5, 65535]], np.uint16), [[0, 65535], [65530, 0]])],
)  # fmt: skip
def test_white_is_zero_in_every_type(tmp_path: Path, white: np.ndarray, black: list[list[float]]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", white, photometric="miniswhite")
    np.testing.assert_array_equal(stored(tmp_path / "a.tif"), black)


@pytest.mark.parametrize("subfile", [1, 3])
def test_masks_and_thumbnails_inside_a_file_are_no_pages(tmp_path: Path, subfile: int) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(np.full((8, 8), 7, np.uint8), photometric="minisblack")
        file.write(np.zeros((4, 4), np.uint8), photometric="minisblack", subfiletype=subfile)
    assert len(pages(Source.of(tmp_path / "a.tif"))) == 1
