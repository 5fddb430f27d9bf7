"""Copies read back as what was written, in the format and depth of the original."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from evenray.core.errors import ReadError, UsageError
from evenray.core.types import Image
from evenray.images import readers
from evenray.images.contrast import enhance
from evenray.images.writers import write

RNG = np.random.default_rng(0)
NOTE = "evenray: contrast gamma(0.6)"


def enhanced(path: Path, spec: str = "gamma(0.6)") -> dict[str, Image]:
    return {part: enhance(readers.read(path, fragment=part), spec) for part in readers.fragments(path)}


def written(path: Path, target: Path, spec: str = "gamma(0.6)") -> tuple[dict[str, Image], dict[str, Image]]:
    """What was written, and what is read back."""
    images = enhanced(path, spec)
    write(path, target, images, NOTE)
    return images, {part: readers.read(target, fragment=part) for part in readers.fragments(target)}


@pytest.mark.parametrize(
    ("name", "dtype", "channels"),
    [
        ("a.png", np.uint8, 1),
        ("a.png", np.uint16, 1),
        ("a.png", np.uint8, 3),
        ("a.tiff", np.uint8, 1),
        ("a.tiff", np.uint16, 1),
        ("a.tiff", np.float32, 1),
        ("a.tiff", np.uint16, 3),
        ("a.bmp", np.uint8, 1),
        ("a.bmp", np.uint8, 3),
        ("a.pgm", np.uint8, 1),
        ("a.pgm", np.uint16, 1),
        ("a.ppm", np.uint8, 3),
    ],
)
def test_pictures_keep_format_depth_and_channels(tmp_path: Path, name: str, dtype: type, channels: int) -> None:
    high = 1 if dtype == np.float32 else np.iinfo(dtype).max
    pixels = (RNG.random((20, 30, channels) if channels == 3 else (20, 30)) * high).astype(dtype)
    source, target = tmp_path / name, tmp_path / f"out-{name}"
    assert cv2.imwrite(str(source), pixels)
    images, back = written(source, target)
    assert back[""].header["format"] == images[""].header["format"]
    assert back[""].pixels.dtype == dtype
    np.testing.assert_allclose(back[""].pixels, images[""].pixels, atol=1e-6)


def test_jpeg_stays_grey_and_near(tmp_path: Path) -> None:
    y, x = np.mgrid[:64, :80]
    cv2.imwrite(str(tmp_path / "a.jpeg"), (x + y).astype(np.uint8))
    images, back = written(tmp_path / "a.jpeg", tmp_path / "b.jpeg")
    assert back[""].header["channels_in_file"] == 1
    assert np.abs(back[""].pixels.astype(int) - images[""].pixels).mean() < 1


def test_a_grey_picture_saved_in_colour_stays_so(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.repeat(RNG.integers(0, 256, (9, 9, 1)), 3, axis=2).astype(np.uint8))
    images, back = written(tmp_path / "a.png", tmp_path / "b.png")
    assert back[""].header["channels_in_file"] == 3
    assert np.array_equal(back[""].pixels, images[""].pixels)


def test_transparency_is_kept(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (12, 12, 4)).astype(np.uint8)
    pixels[..., 3] = 255
    pixels[:4, :, 3] = 0
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    images, back = written(tmp_path / "a.png", tmp_path / "b.png")
    assert back[""].valid is not None
    assert np.array_equal(back[""].valid, pixels[..., 3] > 0)
    assert np.array_equal(back[""].pixels, images[""].pixels)


def test_an_opaque_alpha_channel_stays(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (12, 12, 4)).astype(np.uint8)
    pixels[..., 3] = 255
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    images, _ = written(tmp_path / "a.png", tmp_path / "b.png")
    back = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(back, np.dstack([images[""].pixels[..., ::-1], pixels[..., 3]]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_tiffs_of_numbers_keep_their_type_and_what_is_missing(tmp_path: Path, dtype: type) -> None:
    pixels = RNG.integers(-3000, 3000, (20, 30)).astype(dtype)
    if dtype != np.int32:
        pixels[:3, 5], pixels[9, 9] = np.nan, -np.inf
    assert cv2.imwrite(str(tmp_path / "a.tiff"), pixels)
    images, _ = written(tmp_path / "a.tiff", tmp_path / "b.tiff")
    back = cv2.imread(str(tmp_path / "b.tiff"), cv2.IMREAD_UNCHANGED)
    there = np.isfinite(pixels)
    assert back.dtype == dtype
    assert np.array_equal(back[~there], pixels[~there], equal_nan=True)
    assert back[there] == pytest.approx(images[""].pixels[there], abs=0.51 if dtype == np.int32 else 1e-6)
    assert not np.array_equal(back[there], pixels[there])


def test_pgm_keeps_its_own_white(tmp_path: Path) -> None:
    grey = RNG.integers(0, 4096, (10, 12))
    (tmp_path / "a.pgm").write_bytes(b"P5\n12 10\n4095\n" + grey.astype(">u2").tobytes())
    images, back = written(tmp_path / "a.pgm", tmp_path / "b.pgm")
    assert back[""].value_range == (0, 4095)
    assert np.array_equal(back[""].pixels, images[""].pixels)


def test_all_pages_of_a_tiff(tmp_path: Path) -> None:
    pages = [RNG.integers(0, 65536, (10, 12)).astype(np.uint16) for _ in range(3)]
    cv2.imwritemulti(str(tmp_path / "a.tiff"), pages)
    images, back = written(tmp_path / "a.tiff", tmp_path / "b.tiff")
    assert len(back) == 3
    for part in back:
        assert np.array_equal(back[part].pixels, images[part].pixels)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.uint8])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1)])
def test_nifti_volumes(tmp_path: Path, name: str, dtype: type, signs: tuple[int, int, int]) -> None:
    voxels = (RNG.random((7, 5, 4)) * 200).astype(dtype)
    affine = np.array([[0, 2.0 * signs[1], 0, 0], [signs[0], 0, 0, 0], [0, 0, 3.0 * signs[2], 0], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(voxels, affine), tmp_path / name)
    before, after = tmp_path / name, tmp_path / f"out-{name}"
    images, back = written(before, after, "none")
    opened = [gzip.decompress(p.read_bytes()) if name.endswith("gz") else p.read_bytes() for p in (before, after)]
    assert opened[0] == opened[1]  # nothing done, nothing changed
    images, back = written(before, after)
    for part in back:
        np.testing.assert_allclose(back[part].pixels, images[part].pixels, atol=1e-3)
    assert np.array_equal(nib.load(after).affine, affine)


def test_nifti_with_a_slope_and_several_volumes(tmp_path: Path) -> None:
    image = nib.Nifti1Image(RNG.integers(0, 1000, (6, 5, 4, 2)).astype(np.int16), np.diag([1, 1, 2, 1]))
    image.header.set_slope_inter(0.5, -100)
    nib.save(image, tmp_path / "a.nii")
    images, back = written(tmp_path / "a.nii", tmp_path / "b.nii")
    assert len(back) == 8
    for part in back:
        assert np.abs(back[part].pixels - images[part].pixels).max() <= 0.25 + 1e-3


@pytest.mark.parametrize("slope", [1.0, 2.0])
def test_missing_voxels_of_a_nifti_stay_as_they_are(tmp_path: Path, slope: float) -> None:
    voxels = RNG.random((8, 9, 5)).astype(np.float32)
    voxels[:2, 3, 1], voxels[4, 4, 4] = np.nan, np.inf
    image = nib.Nifti1Image(voxels, np.diag([-1, 1, 3, 1]))
    image.header.set_slope_inter(slope, 0)
    nib.save(image, tmp_path / "a.nii")
    written(tmp_path / "a.nii", tmp_path / "b.nii")
    before, after = (np.asarray(nib.load(tmp_path / name).dataobj) for name in ("a.nii", "b.nii"))
    missing = ~np.isfinite(before)
    assert missing.sum() == 3
    assert np.array_equal(before[missing], after[missing], equal_nan=True)
    assert np.isfinite(after[~missing]).all()
    assert not np.allclose(before[~missing], after[~missing])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_niftis_of_all_types_and_byte_orders(tmp_path: Path, kind: str, order: str) -> None:
    dtype = np.dtype(kind).newbyteorder(order)
    voxels = RNG.integers(0, 100, (7, 6, 5)).astype(dtype)
    if dtype.kind == "i":
        voxels -= 50
    if dtype.kind == "f":
        voxels[2, 3, 1] = np.nan
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(dtype)
    nib.save(nib.Nifti1Image(voxels, np.diag([-1, 1, 3, 1]), header), tmp_path / "a.nii")
    written(tmp_path / "a.nii", tmp_path / "same.nii", "none")
    assert (tmp_path / "a.nii").read_bytes() == (tmp_path / "same.nii").read_bytes()
    images, _ = written(tmp_path / "a.nii", tmp_path / "b.nii", "invert")
    after = nib.load(tmp_path / "b.nii")
    found = np.asarray(after.dataobj)
    assert after.header.get_data_dtype() == dtype
    there = np.isfinite(voxels)
    assert np.array_equal(np.isfinite(found), there)
    low, high = next(iter(images.values())).value_range
    assert found[there].astype(float) == pytest.approx(low + high - voxels[there].astype(float), abs=1e-3)


@pytest.mark.parametrize("kind", [">u2", "<i2", ">f4"])
def test_npz_of_all_byte_orders(tmp_path: Path, kind: str) -> None:
    pixels = (RNG.random((3, 8, 9)) * (1 if kind == ">f4" else 9000)).astype(kind)
    np.savez(tmp_path / "a.npz", train_images=pixels)
    written(tmp_path / "a.npz", tmp_path / "b.npz", "none")
    with np.load(tmp_path / "b.npz") as archive:
        assert archive["train_images"].dtype == np.dtype(kind)
        assert np.array_equal(archive["train_images"], pixels)


def test_npz_keeps_labels_and_shapes(tmp_path: Path) -> None:
    arrays = {
        "train_images": RNG.integers(0, 256, (5, 8, 8)).astype(np.uint8),
        "train_labels": np.arange(5)[:, None],
        "val_images": RNG.integers(0, 256, (2, 8, 8, 1)).astype(np.uint8),
        "test_images": RNG.integers(0, 256, (3, 8, 8, 3)).astype(np.uint8),
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    images, back = written(tmp_path / "a.npz", tmp_path / "b.npz")
    with np.load(tmp_path / "b.npz") as archive:
        assert np.array_equal(archive["train_labels"], arrays["train_labels"])
        assert {name: archive[name].shape for name in archive.files} == {n: a.shape for n, a in arrays.items()}
    for part in back:
        assert np.array_equal(back[part].pixels, images[part].pixels)


# -- DICOM ----------------------------------------------------------------------------------------------------------


def codecs(evenray_data: Path) -> list[Path]:
    return sorted((evenray_data / "dicom").rglob("*.dcm"))


def test_every_dicom_that_reads_comes_back_as_written(evenray_data: Path, tmp_path: Path) -> None:
    """Real files of all modalities and codecs: the shown grey is the same to half a stored value."""
    seen = set()
    for path in codecs(evenray_data):
        try:
            images = enhanced(path)
        except ReadError:
            continue
        target = tmp_path / path.name
        write(path, target, images, NOTE)
        for part, image in images.items():
            back = readers.read(target, fragment=part)
            there = np.ones(image.shape, bool) if image.valid is None else image.valid
            shown = [
                (i.pixels[there] - i.value_range[0]) / (i.value_range[1] - i.value_range[0]) for i in (image, back)
            ]
            stored = image.header.get("rescale_slope", 1.0) / (image.value_range[1] - image.value_range[0])
            coarse = 0.5 / (2 ** image.header["bits_stored"] - 1)
            assert np.abs(shown[0] - shown[1]).max(initial=0) <= max(0.51 * abs(stored), coarse), path.name
            assert (back.valid is None) == (image.valid is None), path.name
        seen.add(images[next(iter(images))].header.get("photometric_in_file"))
    assert {"MONOCHROME1", "MONOCHROME2", "RGB"} <= seen


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("bits", [8, 12, 16, 32])
@pytest.mark.parametrize("signed", [False, True])
def test_dicoms_of_all_depths_signs_and_byte_orders(tmp_path: Path, bits: int, *, signed: bool, little: bool) -> None:
    size = 1 if bits == 8 else 2 if bits <= 16 else 4
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    pixels = RNG.integers(low, high, (9, 12)).astype(f"{'i' if signed else 'u'}{size}")
    overlay = RNG.integers(0, 65_536, 7).astype("u2")
    dataset = pydicom.dcmread(made(tmp_path, pixels.astype(np.uint16) & 4095))
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8 * size, bits, bits - 1
    dataset.PixelRepresentation = int(signed)
    order = "<" if little else ">"
    dataset.add_new("PixelData", "OW" if bits > 8 else "OB", pixels.astype(pixels.dtype.newbyteorder(order)).tobytes())
    dataset.add_new(0x60003000, "OW", overlay.astype(f"{order}u2").tobytes())
    pydicom.dcmwrite(tmp_path / "c.dcm", dataset, implicit_vr=False, little_endian=little)
    written(tmp_path / "c.dcm", tmp_path / "b.dcm", "none")
    after = pydicom.dcmread(tmp_path / "b.dcm")
    assert np.array_equal(np.frombuffer(after[0x60003000].value, "<u2"), overlay)
    assert (after.BitsStored, after.PixelRepresentation) == (bits, int(signed))
    difference = np.abs(after.pixel_array.astype(float) - pixels)
    assert difference.max() <= (2**8 if bits == 32 else 0)  # 32 bits are read as float32


@pytest.mark.parametrize("little", [True, False])
def test_float_dicoms_keep_what_is_missing(tmp_path: Path, *, little: bool) -> None:
    pixels = RNG.random((9, 12)).astype(np.float32)
    pixels[2, 3], pixels[4, 4] = np.nan, np.inf
    dataset = pydicom.dcmread(made(tmp_path, np.zeros((9, 12), np.uint16)))
    del dataset.PixelData
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = pixels.astype("<f4" if little else ">f4").tobytes()
    pydicom.dcmwrite(tmp_path / "c.dcm", dataset, implicit_vr=False, little_endian=little)
    written(tmp_path / "c.dcm", tmp_path / "b.dcm", "none")
    after = np.frombuffer(pydicom.dcmread(tmp_path / "b.dcm").FloatPixelData, "<f4").reshape(9, 12)
    assert np.array_equal(after, pixels, equal_nan=True)


def first_readable(evenray_data: Path, name: str) -> Path:
    return next(path for path in codecs(evenray_data) if path.name == name)


def test_dicom_says_why_in_any_script(evenray_data: Path, tmp_path: Path) -> None:
    path = first_readable(evenray_data, "MR_small.dcm")
    plain = pydicom.dcmread(path)
    if "SpecificCharacterSet" in plain:
        del plain.SpecificCharacterSet
    plain.save_as(tmp_path / "plain.dcm")
    note = "contrast match('참조.json')"
    write(tmp_path / "plain.dcm", tmp_path / "a.dcm", enhanced(tmp_path / "plain.dcm"), note)
    assert pydicom.dcmread(tmp_path / "a.dcm").DerivationDescription.endswith(note)


@pytest.mark.parametrize("name", ["MR_small.dcm", "Fake_MONOHR1.dcm", "693_J2KR.dcm"])
def test_dicom_has_a_new_identity_and_says_why(evenray_data: Path, tmp_path: Path, name: str) -> None:
    path = first_readable(evenray_data, name)
    write(path, tmp_path / "a.dcm", enhanced(path), NOTE)
    write(path, tmp_path / "b.dcm", enhanced(path), NOTE)
    before, after = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "a.dcm")
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert after.SeriesInstanceUID != before.SeriesInstanceUID
    assert after.StudyInstanceUID == before.StudyInstanceUID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.SourceImageSequence[0].ReferencedSOPInstanceUID == before.SOPInstanceUID
    assert after.ImageType[0] == "DERIVED"
    assert after.DerivationDescription.endswith(NOTE)
    for keyword in (
        "Rows",
        "Columns",
        "BitsStored",
        "BitsAllocated",
        "PixelRepresentation",
        "PhotometricInterpretation",
    ):
        assert after.get(keyword) == before.get(keyword), keyword
    assert not after.file_meta.TransferSyntaxUID.is_compressed
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_dicom_padding_stays_padding_and_nothing_else_becomes_it(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 4096, (16, 16)).astype(np.uint16)
    pixels[:5] = 0
    path = made(tmp_path, pixels, padding=0)
    images, back = written(path, tmp_path / "b.dcm", "linear(1000, 3000)")
    assert images[""].valid is not None
    assert back[""].valid is not None
    assert np.array_equal(back[""].valid, images[""].valid)


def test_dicom_of_one_image_type_value_becomes_derived(tmp_path: Path) -> None:
    source = made(tmp_path, RNG.integers(0, 4096, (16, 16)).astype(np.uint16))
    dataset = pydicom.dcmread(source)
    dataset.ImageType = "ORIGINAL"
    dataset.save_as(source)
    written(source, tmp_path / "b.dcm")
    assert list(pydicom.dcmread(tmp_path / "b.dcm").ImageType) == ["DERIVED", "PRIMARY"]


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_dicom_becomes_uncompressed(tmp_path: Path, syntax: str) -> None:
    path = made(tmp_path, RNG.integers(0, 4096, (16, 16)).astype(np.uint16))
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax)
    dataset.save_as(tmp_path / "c.dcm")
    images, back = written(tmp_path / "c.dcm", tmp_path / "b.dcm")
    assert np.array_equal(back[""].pixels, images[""].pixels)


def test_dicom_passes_the_validator_as_the_original_did(evenray_data: Path, tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    for name in ("693_J2KR.dcm", "MR_small.dcm", "OBXXXX1A.dcm", "Fake_MONOHR1.dcm"):
        path = first_readable(evenray_data, name)
        write(path, tmp_path / name, enhanced(path), NOTE)
        before, after = (errors(file) for file in (path, tmp_path / name))
        assert after <= before, name


def errors(path: Path) -> set[str]:
    found = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False)
    lines = (found.stdout + found.stderr).decode("latin-1").splitlines()
    return {line for line in lines if line.startswith("Error")}


def made(folder: Path, pixels: np.ndarray, padding: int | None = None) -> Path:
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = "1.2.3", "1.2.3.5", "DX"
    if padding is not None:
        dataset.PixelPaddingValue = padding
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.PixelRepresentation = 0
    dataset.set_pixel_data(pixels, "MONOCHROME2", 12, generate_instance_uid=False)
    if padding is not None:
        dataset["PixelPaddingValue"].VR = "US"
    dataset.save_as(folder / "a.dcm", enforce_file_format=True)
    return folder / "a.dcm"


def test_never_over_the_original(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4), np.uint8))
    with pytest.raises(UsageError, match="choose another folder"):
        write(tmp_path / "a.png", tmp_path / "a.png", enhanced(tmp_path / "a.png"), NOTE)
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "a.png", tmp_path / "b.png", {"": Image(np.zeros((4, 4), np.uint8), (0, 255))}, NOTE)


@pytest.mark.parametrize(
    ("source", "target", "fits"),
    [("a.png", "b.jpg", False), ("a.png", "b.webp", False), ("a.png", "b.dcm", False), ("a.tif", "b.tiff", True),
     ("a.jpg", "b.JPEG", True), ("a.png", "b", True), ("a.png", "b.copy", True), ("a.pgm", "b.ppm", False)],
)  # fmt: skip
def test_the_name_of_a_copy_says_no_other_format(tmp_path: Path, source: str, target: str, *, fits: bool) -> None:
    cv2.imwrite(str(tmp_path / source), np.arange(16, dtype=np.uint8).reshape(4, 4))
    images = enhanced(tmp_path / source)
    if fits:
        write(tmp_path / source, tmp_path / target, images, NOTE)
        assert (tmp_path / target).read_bytes()
        return
    with pytest.raises(UsageError, match=rf"give -o a name that ends in {Path(source).suffix}"):
        write(tmp_path / source, tmp_path / target, images, NOTE)
    assert [path.name for path in tmp_path.iterdir()] == [source]


def test_a_copy_keeps_the_wrong_name_of_its_original(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4), np.uint8))
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    write(tmp_path / "a.jpg", tmp_path / "b.jpg", enhanced(tmp_path / "a.jpg"), NOTE)
    assert readers.read(tmp_path / "b.jpg").header["format"] == "png"


def test_a_packed_volume_stays_packed(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 2), np.int16), np.eye(4)), tmp_path / "a.nii.gz")
    with pytest.raises(UsageError, match=r"give -o a name that ends in .nii.gz"):
        write(tmp_path / "a.nii.gz", tmp_path / "b.nii", enhanced(tmp_path / "a.nii.gz"), NOTE)
