"""Copies read back by readers that share nothing with the writers, in all byte orders, depths, signs, and with what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from evenray.images import readers
from evenray.images.contrast import enhance
from evenray.images.writers import write

RNG = np.random.default_rng(5)
Array = np.ndarray[Any, Any]


def copied(source: Path, spec: str = "invert") -> tuple[Path, list[Any]]:
    """The copy of a file, and its images as they were before."""
    target = source.with_name(f"copy-{source.name}")
    parts = readers.fragments(source)
    before = [readers.read(source, fragment=part) for part in parts]
    write(source, target, {p: enhance(i, spec) for p, i in zip(parts, before, strict=True)}, "test")
    return target, before


def values(kind: str, shape: tuple[int, ...]) -> Array:
    """Random values of a dtype over all of its range, its ends among them; floats from -3 to 9."""
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        found = RNG.random(shape) * 12 - 3
    else:
        info = np.iinfo(dtype)
        found = RNG.integers(info.min, info.max, shape, dtype.newbyteorder("="), endpoint=True)
        found.flat[:2] = info.min, info.max
    return np.asarray(found.astype(dtype))


def inverted(pixels: Array, image: Any) -> Array:
    low, high = image.value_range
    return np.asarray(low + high - pixels.astype(np.float64))


def close(found: Array, wanted: Array, kind: str) -> None:
    """Equal, but for what float32, in which 32 and 64 bits are enhanced, cannot hold."""
    dtype = np.dtype(kind)
    wide = dtype.itemsize > 2
    scale = float(np.nanmax(np.abs(wanted)))
    np.testing.assert_allclose(found.astype(np.float64), wanted, rtol=0, atol=scale * 2e-6 if wide else 0)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_nifti(tmp_path: Path, kind: str, order: str, missing: bool) -> None:
    voxels = values(kind, (7, 6, 5))
    if missing and kind[0] == "f":
        voxels[2, 3, 1:3] = np.nan, np.inf
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(np.dtype(order + kind))
    image = nib.Nifti1Image(voxels, np.diag([-1, 1, 2, 1]), header)
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    target, before = copied(tmp_path / "a.nii")
    found = nib.load(target)
    stored = np.asanyarray(found.dataobj)
    assert found.header.endianness == order
    assert stored.dtype.newbyteorder("=") == np.dtype(kind)
    finite = np.isfinite(voxels) if kind[0] == "f" else np.ones(voxels.shape, bool)
    close(stored[finite], inverted(voxels, before[0])[finite], kind)
    np.testing.assert_array_equal(stored[~finite], voxels[~finite])


@pytest.mark.parametrize("packing", [None, "lzw", "zlib", "packbits"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_tiff(tmp_path: Path, kind: str, samples: int, order: str, packing: str | None) -> None:
    """By tifffile, and where Pillow has such a mode by Pillow, which reads by libtiff."""
    pixels = values(kind, (9, 12, samples)[: 2 if samples == 1 else 3])
    extra: dict[str, Any] = {}
    if samples in (2, 4):
        pixels[..., -1] = np.where(RNG.random((9, 12)) < 0.3, 0, np.iinfo(kind).max if kind[0] != "f" else 1)
        extra = {"extrasamples": ["unassalpha"]}
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb" if samples > 2 else "minisblack", byteorder=order,
        compression=packing, metadata=None, **extra,
    )  # fmt: skip
    target, before = copied(tmp_path / "a.tif", "none" if samples > 2 else "invert")
    stored = tifffile.imread(target)
    assert stored.dtype == np.dtype(kind)
    assert stored.shape == pixels.shape
    if samples > 2:  # colours are enhanced in lightness; only that they come back is compared
        close(stored, pixels.astype(np.float64), kind)
        return
    wanted, grey = pixels.astype(np.float64), pixels if samples == 1 else pixels[..., 0]
    if samples == 1:
        wanted = inverted(grey, before[0])
    else:
        wanted[..., 0] = np.where(pixels[..., 1] > 0, inverted(grey, before[0]), grey)
    close(stored, wanted, kind)
    if kind in ("u1", "u2") and samples == 1:
        with Pillow.open(target) as picture:
            np.testing.assert_array_equal(np.asarray(picture), stored)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("ending", ["png", "pgm", "bmp"])
def test_grey_pictures(tmp_path: Path, ending: str, kind: str, missing: bool) -> None:
    if (ending, kind) == ("bmp", "u2") or (missing and ending != "png"):
        pytest.skip("there is no such file")
    pixels, source = values(kind, (9, 12)), tmp_path / f"a.{ending}"
    if missing:
        alpha = np.where(RNG.random((9, 12)) < 0.3, 0, np.iinfo(kind).max).astype(kind)
        cv2.imwrite(str(source), np.dstack([pixels] * 3 + [alpha]))
    else:
        cv2.imwrite(str(source), pixels)
    target, before = copied(source)
    wanted = inverted(pixels, before[0])
    if not missing:
        with Pillow.open(target) as picture:
            np.testing.assert_array_equal(np.asarray(picture), wanted)
        return
    found = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found[..., 3], alpha)
    np.testing.assert_array_equal(found[..., 0][alpha > 0], wanted[alpha > 0])


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", ["|u1", "<u2", ">u2", "<i2", ">i2", "<f4", ">f4"])
@pytest.mark.parametrize("shape", [(3, 5, 6), (3, 5, 6, 1), (3, 5, 6, 3)])
def test_npz(tmp_path: Path, shape: tuple[int, ...], kind: str, missing: bool) -> None:
    pixels = RNG.random(shape).astype(kind) if "f" in kind else values(kind, shape)  # floats are taken to be 0 to 1
    if missing and "f" in kind:
        pixels[1, 2, 3] = np.nan
    np.savez(tmp_path / "a.npz", train_images=pixels, train_labels=np.arange(3))
    target, before = copied(tmp_path / "a.npz", "none" if shape[-1] == 3 else "invert")
    with np.load(target) as archive:
        stored, labels = archive["train_images"], archive["train_labels"]
    assert stored.dtype == np.dtype(kind)
    assert labels.tolist() == [0, 1, 2]
    wanted = pixels.astype(np.float64) if shape[-1] == 3 else inverted(pixels, before[0])
    there = np.isfinite(pixels) if "f" in kind else np.ones(shape, bool)
    np.testing.assert_allclose(stored[there], wanted[there], rtol=0, atol=1e-5 if "f" in kind else 0)
    assert np.isnan(stored[~there]).all()
