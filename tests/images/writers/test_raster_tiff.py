"""What copies of TIFFs keep, as tifffile and Pillow read it; and the resolution of a BMP."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from evenray.core.errors import ReadError
from evenray.images import readers
from evenray.images.writers import raster_tiff, write

Y, X = np.mgrid[:40, :60]
GREY = (X * 300 + Y).astype(np.uint16)
COLOUR = np.dstack([GREY // 2, GREY, GREY // 3])
ORIENTATION = 274

Copy = Callable[[Path], Path]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_resolution_and_texts_stay(tmp_path: Path, copy_of: Copy, order: str, *, big: bool, orientation: int) -> None:
    source = tmp_path / "a.tif"
    tifffile.imwrite(
        source, GREY, byteorder=order, bigtiff=big, resolution=((30000, 7), (15000, 7)), resolutionunit=3,
        description="left knee", software="scanner", metadata=None,
        extratags=[(ORIENTATION, 3, 1, orientation, True), (315, 2, None, "Kim", True), (700, 1, 7, b"<xmp />", True)],
    )  # fmt: skip
    with tifffile.TiffFile(copy_of(source)) as copy:
        tags = copy.pages[0].tags
        x, y = (30000, 7), (15000, 7)
        assert (tags[282].value, tags[283].value) == ((y, x) if orientation > 4 else (x, y))
        assert (tags[296].value, tags[270].value, tags[305].value, tags[315].value) == (
            3,
            "left knee",
            "scanner",
            "Kim",
        )
        assert tags[700].value == b"<xmp />"
        assert ORIENTATION not in tags
        assert copy.pages[0].shape == ((60, 40) if orientation > 4 else (40, 60))
        assert np.array_equal(copy.asarray(), readers.read(tmp_path / "copy-a.tif").pixels)


@pytest.mark.parametrize(("packing", "predictor"), [(1, 1), (5, 1), (5, 2), (8, 1), (8, 2), (32946, 1), (32773, 1)])
def test_packing_stays(tmp_path: Path, copy_of: Copy, packing: int, predictor: int) -> None:
    source = tmp_path / "a.tif"
    options = [cv2.IMWRITE_TIFF_COMPRESSION, packing, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    assert cv2.imwrite(str(source), GREY, options)
    with tifffile.TiffFile(copy_of(source)) as copy:
        assert (int(copy.pages[0].compression), int(copy.pages[0].predictor)) == (packing, predictor)
    assert np.array_equal(cv2.imread(str(tmp_path / "copy-a.tif"), -1), readers.read(tmp_path / "copy-a.tif").pixels)


@pytest.mark.parametrize("packing", ["jpeg", "group4"])
def test_other_packings_become_lzw(tmp_path: Path, copy_of: Copy, packing: str) -> None:
    source = tmp_path / "a.tif"
    picture = Pillow.fromarray((GREY >> 8).astype(np.uint8))
    picture.convert("L" if packing == "jpeg" else "1").save(source, dpi=(300, 300), compression=packing)
    with tifffile.TiffFile(copy_of(source)) as copy:
        assert int(copy.pages[0].compression) == 5
        assert copy.pages[0].get_resolution() == (300, 300)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_packed_numbers_stay_packed(tmp_path: Path, copy_of: Copy, dtype: type) -> None:
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(dtype) - 9, compression="zlib")
    with tifffile.TiffFile(copy_of(tmp_path / "a.tif")) as copy:
        assert (copy.pages[0].dtype, int(copy.pages[0].compression)) == (dtype, 8)
        assert copy.asarray() == pytest.approx(readers.read(tmp_path / "copy-a.tif").pixels)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_all_types_samples_and_byte_orders(tmp_path: Path, kind: str, samples: int, planar: str, order: str) -> None:
    """Nothing done, nothing changed: values, their type, alpha and what is missing, as tifffile reads them."""
    rng, dtype = np.random.default_rng(0), np.dtype(kind)
    least, most = (
        (-500, 500) if dtype.kind == "f" else (max(np.iinfo(dtype).min, -(2**20)), min(np.iinfo(dtype).max, 2**20))
    )
    pixels = (least + rng.random((37, 41, samples)) * (most - least)).astype(np.float32).astype(dtype)
    if dtype.kind == "f":
        pixels[3:5, 7] = np.nan
    options: dict[str, Any] = {"photometric": "rgb" if samples > 2 else "minisblack"}
    if samples in (2, 4):
        options["extrasamples"] = ["unassalpha"]
        pixels[..., -1] = np.where(rng.random((37, 41)) < 0.3, 0, 1 if dtype.kind == "f" else np.iinfo(dtype).max)
    if samples > 1:
        options["planarconfig"] = planar
    stored = pixels[..., 0] if samples == 1 else pixels.transpose(2, 0, 1) if planar == "separate" else pixels
    tifffile.imwrite(tmp_path / "a.tif", stored, byteorder=order, metadata=None, **options)
    image = readers.read(tmp_path / "a.tif")
    write(tmp_path / "a.tif", tmp_path / "b.tif", {"": image}, "none")
    after = tifffile.imread(tmp_path / "b.tif")
    assert after.dtype == dtype
    assert np.array_equal(after.reshape(pixels.shape), pixels, equal_nan=dtype.kind == "f")


def test_cmyk_becomes_rgb(tmp_path: Path, copy_of: Copy, cmyk_profile: bytes) -> None:
    picture = Pillow.fromarray((COLOUR >> 8).astype(np.uint8)).convert("CMYK")
    picture.save(tmp_path / "a.tif", icc_profile=cmyk_profile, dpi=(72, 72))
    with Pillow.open(copy_of(tmp_path / "a.tif")) as copy:
        assert (copy.mode, copy.info["dpi"]) == ("RGB", (72, 72))
        assert "icc_profile" not in copy.info


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("slices", [1, 5])
def test_a_stack_of_imagej_stays_one(tmp_path: Path, copy_of: Copy, order: str, slices: int) -> None:
    voxels = np.random.default_rng(0).integers(0, 65536, (slices, 20, 31)).astype(np.uint16)
    labels = [f"slice {number}" for number in range(slices)]
    tifffile.imwrite(
        tmp_path / "a.tif", voxels, imagej=True, byteorder=order, resolution=(1 / 0.4, 1 / 0.4),
        metadata={"spacing": 2.5, "unit": "mm", "axes": "ZYX", "Labels": labels, "Ranges": (5.0, 900.0), "Info": "스캔"},
    )  # fmt: skip
    copy = copy_of(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as before, tifffile.TiffFile(copy) as after:
        assert after.imagej_metadata == before.imagej_metadata
        assert (after.imagej_metadata["spacing"], after.imagej_metadata["unit"]) == (2.5, "mm")
        assert after.imagej_metadata["Info"] == "스캔"
        assert after.pages[0].tags[282].value == before.pages[0].tags[282].value
        assert np.array_equal(
            after.asarray().reshape(voxels.shape),
            [readers.read(copy, fragment=f).pixels for f in readers.fragments(copy)],
        )
        # ImageJ reads the first directory alone and takes what follows its strips for the other images.
        first = after.pages[0].dataoffsets[0]
        raw = np.fromfile(copy, "<u2", voxels.size, offset=first).reshape(voxels.shape)
        assert np.array_equal(raw, after.asarray().reshape(voxels.shape))


def test_a_stack_cut_to_its_first_page_counts_one(tmp_path: Path, copy_of: Copy) -> None:
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, GREY, description="ImageJ=1.54\nimages=9\nslices=9\nunit=mm\n", metadata=None)
    with tifffile.TiffFile(copy_of(source)) as copy:
        assert copy.pages[0].description.splitlines() == ["ImageJ=1.54", "unit=mm"]
        assert copy.asarray().shape == GREY.shape


def test_pages_keep_their_own_and_previews_go(tmp_path: Path, copy_of: Copy) -> None:
    source = tmp_path / "a.tif"
    with tifffile.TiffWriter(source) as writer:
        writer.write(GREY, description="one", resolution=(10, 20), metadata=None, compression="zlib")
        writer.write(GREY[::4, ::4], subfiletype=1, description="preview", metadata=None)
        writer.write(GREY.astype(np.float32), description="two", resolution=(30, 40), metadata=None)
    with tifffile.TiffFile(copy_of(source)) as copy:
        found = [(page.description, page.get_resolution(), int(page.compression)) for page in copy.pages]
        assert found == [("one", (10, 20), 8), ("two", (30, 40), 1)]
        assert [page.dtype for page in copy.pages] == [np.uint16, np.float32]


def test_colour_profile_exif_and_gps_stay(tmp_path: Path, copy_of: Copy, profile: bytes) -> None:
    source, exif = tmp_path / "a.tif", Pillow.Exif()
    exif[272] = "Scanner 9"
    exif.get_ifd(34665)[36867] = "2024:01:02 03:04:05"
    exif.get_ifd(34853)[1] = "N"
    Pillow.fromarray((COLOUR >> 8).astype(np.uint8)).save(source, exif=exif.tobytes(), icc_profile=profile)
    with Pillow.open(copy_of(source)) as copy:
        assert copy.info["icc_profile"] == profile
        back = copy.getexif()
        assert back[272] == "Scanner 9"
        assert back.get_ifd(34665)[36867] == "2024:01:02 03:04:05"
        assert back.get_ifd(34853)[1] == "N"


def test_black_that_was_white_is_black(tmp_path: Path, copy_of: Copy) -> None:
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, GREY, photometric="miniswhite", resolution=(10, 10), metadata=None)
    with tifffile.TiffFile(copy_of(source)) as copy:
        assert copy.pages[0].photometric.name == "MINISBLACK"
        assert copy.pages[0].get_resolution() == (10, 10)
        assert np.corrcoef(copy.asarray().ravel(), GREY.ravel())[0, 1] < 0


@pytest.mark.parametrize("kind", [1, 2])
def test_alpha_says_what_it_is(tmp_path: Path, copy_of: Copy, kind: int) -> None:
    alpha = np.where(X > 3, 65535, 0).astype(np.uint16)
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, np.dstack([COLOUR, alpha]), photometric="rgb", extrasamples=[kind])
    with tifffile.TiffFile(copy_of(source)) as copy:
        assert [int(extra) for extra in copy.pages[0].extrasamples] == [kind]
        assert np.array_equal(copy.asarray()[..., 3], alpha)


@pytest.mark.parametrize(
    "tag",
    [
        (34675, 7, 9, b"a profile", True),
        (34377, 7, 8, b"8BIM\x04\x04\0\0", True),
        (50839, 1, 4, b"IJIJ", True),
        (34665, 4, 1, 2**31, True),
    ],
)
def test_damaged_tags_are_left_out(tmp_path: Path, copy_of: Copy, tag: Any) -> None:
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, GREY, extratags=[tag], description="kept", metadata=None, byteorder=">")
    with tifffile.TiffFile(copy_of(source)) as copy:
        assert tag[0] not in copy.pages[0].tags
        assert copy.pages[0].description == "kept"


@pytest.mark.parametrize(
    ("tag", "kind", "count", "value"),
    [
        (282, 3, 1, 300 << 16),
        (282, 5, 2, 8),
        (283, 5, 1, 2**31),
        (296, 3, 1, 99 << 16),
        (296, 99, 1, 0),
        (305, 2, 2**32 - 1, 8),
    ],
)
def test_absurd_tags_are_left_out(tmp_path: Path, copy_of: Copy, tag: int, kind: int, count: int, value: int) -> None:
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, GREY, description="kept", resolution=(3, 4), software="b", metadata=None, byteorder=">")
    data = bytearray(source.read_bytes())
    with tifffile.TiffFile(source) as before:
        struct.pack_into(">HHII", data, before.pages[0].tags[tag].offset, tag, kind, count, value)
    source.write_bytes(data)
    with tifffile.TiffFile(copy_of(source)) as copy:
        assert tag not in copy.pages[0].tags
        assert copy.pages[0].description == "kept"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_the_directories_hold_a_file_that_reads_is_copied(
    tmp_path: Path, copy_of: Copy, data: st.DataObject
) -> None:
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, GREY[:4, :4], description="a text", resolution=(3, 4), software="b", metadata=None)
    found = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        found[data.draw(st.integers(4, len(found) - 33))] = data.draw(st.integers(0, 255))
    source.write_bytes(found)
    try:
        for part in readers.fragments(source):
            readers.read(source, fragment=part)
    except ReadError:
        return
    copy = copy_of(source)
    assert readers.read(copy).shape == readers.read(source).shape


def test_a_copy_larger_than_a_tiff_is_refused(tmp_path: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    monkeypatch.setattr(raster_tiff, "_LARGEST", 1000)
    with pytest.raises(Exception, match="more than the 4 GB"):
        copy_of(tmp_path / "a.tif")
    assert not (tmp_path / "copy-a.tif").exists()


@pytest.mark.parametrize(("said", "kept"), [((3000, 6000), (3000, 6000)), ((0, 0), (0, 0)), ((-5, 7), (0, 0))])
def test_a_bmp_keeps_its_pixels_per_metre(
    tmp_path: Path, copy_of: Copy, said: tuple[int, int], kept: tuple[int, int]
) -> None:
    source = tmp_path / "a.bmp"
    assert cv2.imwrite(str(source), (GREY >> 8).astype(np.uint8))
    found = source.read_bytes()
    source.write_bytes(found[:38] + struct.pack("<ii", *said) + found[46:])
    copy = copy_of(source).read_bytes()
    assert struct.unpack_from("<ii", copy, 38) == kept
    assert struct.unpack_from("<ii", found, 38) == (0, 0)
