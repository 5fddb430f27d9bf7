"""NIfTI volumes against nibabel, and their view against the definition of the radiological standard."""

from __future__ import annotations

import dataclasses
import gzip
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from evenray.core.errors import ReadError
from evenray.images.readers import LIMITS, fragments, read, sniff

RNG = np.random.default_rng(13)
VOLUME = RNG.integers(-1000, 3000, (5, 6, 7)).astype(np.int16)  # R to L, A to P, I to S: an LPS array
LPS = np.diag([-0.5, -0.75, 2.0, 1.0])


def save(
    path: Path, voxels: np.ndarray, affine: np.ndarray = LPS, kind: type = nib.Nifti1Image, **header: float
) -> Path:
    image = kind(voxels, affine)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_axial_slices(tmp_path: Path, name: str, kind: type) -> None:
    path = save(tmp_path / name, VOLUME, kind=kind)
    assert sniff(path) == "nifti"
    assert fragments(path) == [f"slice={k}" for k in range(7)]
    for k in range(7):
        image = read(path, fragment=f"slice={k}")
        np.testing.assert_array_equal(image.pixels, VOLUME[:, :, k].T)
    assert (image.spacing_mm, image.spacing_source) == ((0.75, 0.5), "pixdim")
    assert image.value_range == (VOLUME.min(), VOLUME.max())  # of the volume, not of the slice


def test_every_orientation_gives_the_same_view() -> None:
    """However the axes are stored, the patient's right is on the left, anterior on top, slice 0 at the feet."""
    from evenray.images.readers.nifti import _turned

    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            stored = np.transpose(VOLUME, order)
            affine = np.zeros((4, 4))
            affine[3, 3] = 1
            for axis, (source, sign) in enumerate(zip(order, signs, strict=True)):
                affine[source, axis] = LPS[source, source] * sign
            stored = stored[tuple(slice(None, None, sign) for sign in signs)]
            turned, spacing, step = _turned("a.nii", stored[..., None], affine)
            np.testing.assert_array_equal(turned[..., 0], VOLUME)
            assert (spacing, step) == ((0.75, 0.5), abs(LPS[2, 2]))


def test_a_marker_at_the_right_front_is_at_the_top_left(tmp_path: Path) -> None:
    """World coordinates of NIfTI grow to the left-to-Right, posterior-to-Anterior and Superior (RAS+)."""
    voxels = np.zeros((8, 8, 8), np.uint8)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    voxels[7, 7, 0] = 200  # right, anterior, inferior
    image = read(save(tmp_path / "a.nii", voxels, affine), fragment="slice=0")
    assert np.argwhere(image.pixels == 200).tolist() == [[0, 0]]


def test_scaling(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", VOLUME)
    header = nib.load(path).header
    data = bytearray(path.read_bytes())
    data[112:120] = np.array([0.5, -10], "<f4").tobytes()  # scl_slope, scl_inter
    path.write_bytes(bytes(data))
    assert header["sizeof_hdr"] == 348
    image = read(path, fragment="slice=2")
    np.testing.assert_array_equal(image.pixels, VOLUME[:, :, 2].T * 0.5 - 10)
    assert image.pixels.dtype == np.float32
    assert image.value_range == (VOLUME.min() * 0.5 - 10, VOLUME.max() * 0.5 - 10)
    np.testing.assert_array_equal(image.pixels, nib.load(path).get_fdata()[:, :, 2].T)


def test_cal_min_and_cal_max_are_the_window(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", VOLUME, cal_min=-100, cal_max=900)
    assert read(path).value_range == (-100, 900)
    assert read(path, window="none").value_range == (VOLUME.min(), VOLUME.max())
    assert read(path, window="brain").value_range == (0, 80)
    assert read(path, value_range=(1, 2)).value_range == (1, 2)


def test_float_volumes_take_their_extremes_and_say_so(tmp_path: Path) -> None:
    voxels = VOLUME.astype(np.float32)
    voxels[1, 2, 3] = np.nan
    path = save(tmp_path / "a.nii", voxels)
    image = read(path, fragment="slice=3")
    assert image.value_range == (np.nanmin(voxels), np.nanmax(voxels))
    assert image.header["range_from"] == "extremes of the volume"
    assert np.argwhere(~image.valid).tolist() == [[2, 1]]
    assert read(path, fragment="slice=2").valid is None


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint32, np.float64])
def test_types(tmp_path: Path, dtype: type) -> None:
    voxels = np.abs(VOLUME // 32).astype(dtype)
    image = read(save(tmp_path / "a.nii", voxels, kind=nib.Nifti2Image), fragment="slice=1")
    np.testing.assert_array_equal(image.pixels, voxels[:, :, 1].T)


def test_colour(tmp_path: Path) -> None:
    colours = RNG.integers(0, 256, (5, 6, 7, 3), np.uint8)
    voxels = np.ascontiguousarray(colours).view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    image = read(save(tmp_path / "a.nii", voxels), fragment="slice=4")
    np.testing.assert_array_equal(image.pixels, colours[:, :, 4].transpose(1, 0, 2))
    assert (image.photometric, image.value_range) == ("RGB", (0, 255))


def test_big_endian(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOLUME, LPS, nib.Nifti1Header(endianness=">"))
    nib.save(image, tmp_path / "a.nii")
    np.testing.assert_array_equal(read(tmp_path / "a.nii").pixels, VOLUME[:, :, 0].T)


def test_several_volumes_and_a_single_slice(tmp_path: Path) -> None:
    four = np.stack([VOLUME, VOLUME + 1], axis=3)
    path = save(tmp_path / "a.nii", four)
    assert fragments(path)[7] == "slice=0,volume=1"
    np.testing.assert_array_equal(read(path, fragment="slice=3,volume=1").pixels, VOLUME[:, :, 3].T + 1)
    flat = save(tmp_path / "b.nii", VOLUME[:, :, 0])
    assert fragments(flat) == [""]
    np.testing.assert_array_equal(read(flat).pixels, VOLUME[:, :, 0].T)


@pytest.mark.parametrize("wrong", ["slice=7", "slice=-1", "frame=0", "slice=1,volume=1", "slice"])
def test_fragments_that_do_not_exist(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ReadError, match="slice=0 to slice=6"):
        read(save(tmp_path / "a.nii", VOLUME), fragment=wrong)


def test_complex_voxels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="complex64"):
        read(save(tmp_path / "a.nii", VOLUME.astype(np.complex64)))


def test_bombs_hit_their_limit(tmp_path: Path, monkeypatch) -> None:
    plain = save(tmp_path / "a.nii", np.zeros((64, 64, 64), np.uint8)).read_bytes()
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(plain + b"\0" * 2**25))
    monkeypatch.setattr("evenray.images.readers._limits.LIMITS", dataclasses.replace(LIMITS, array_bytes=2**24))
    with pytest.raises(ReadError, match=r"unpacks to more than the 262,496 bytes that its header declares"):
        read(tmp_path / "bomb.nii.gz")
    claims = bytearray(plain)
    claims[40:48] = np.array([3, 32767, 32767, 32767], "<i2").tobytes()
    (tmp_path / "claims.nii").write_bytes(bytes(claims))
    with pytest.raises(ReadError, match="limit 'array_bytes'"):
        read(tmp_path / "claims.nii")


def test_free_text_of_the_header_stays_behind(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", VOLUME, descrip=b"Canary Yellow", aux_file=b"canary", intent_name=b"canary")
    assert "canary" not in repr(vars(read(path))).lower()
