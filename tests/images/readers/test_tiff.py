"""TIFFs of all types, samples and layouts against tifffile, which shares no code with OpenCV's reader."""

from __future__ import annotations

import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from evenray.core.errors import ReadError
from evenray.images.readers import read
from evenray.images.readers.raster import decoded_page
from evenray.images.readers.raster_tiff import pages

RNG = np.random.default_rng(0)
ORIENTATION = 274


def stored(path: Path) -> np.ndarray:
    data = path.read_bytes()
    return decoded_page(str(path), data, pages(str(path), data)[0])


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


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_planes_of_odd_bits_are_refused(tmp_path: Path, bits: int) -> None:
    """OpenCV shows memory that is not the file's."""
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((3, 20, 4 * bits), np.uint8), photometric="rgb", planarconfig="separate"
    )
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        file.pages[0].tags[256].overwrite(32)
        file.pages[0].tags[258].overwrite((bits,) * 3)
    with pytest.raises(ReadError, match=f"planes of {bits} bits, which are not read; save it in 16 bits"):
        read(tmp_path / "a.tif")


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


def test_alpha_in_lzw(tmp_path: Path) -> None:
    """Without imagecodecs OpenCV serves where it had nothing to multiply by; part transparency is refused, not wrong."""
    colour = RNG.integers(0, 256, (9, 12, 4)).astype(np.uint8)
    colour[..., 3] = 255
    Pillow.fromarray(colour).save(tmp_path / "a.tif", compression="tiff_lzw")
    assert np.array_equal(read(tmp_path / "a.tif").pixels, colour[..., :3])
    colour[2:5, :, 3] = 90
    Pillow.fromarray(colour).save(tmp_path / "a.tif", compression="tiff_lzw")
    if find_spec("imagecodecs"):
        assert np.array_equal(read(tmp_path / "a.tif").pixels, colour[..., :3])
    else:
        with pytest.raises(ReadError, match=r"pip install 'evenray\[codecs\]'"):
            read(tmp_path / "a.tif")


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
    with pytest.raises(ReadError, match="truncated"):
        read(tmp_path / "a.tif")


def test_planes_that_unpack_to_gigabytes(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(2**30), 9)
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
    data = (tmp_path / "a.tif").read_bytes()
    assert len(pages("a.tif", data)) == 1
