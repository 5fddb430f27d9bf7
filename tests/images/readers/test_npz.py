"""MedMNIST archives: parts, numbers, types, and what a broken or hostile archive gets."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import ReadError
from evenray.images.readers import LIMITS, fragments, npz, read, sniff

RNG = np.random.default_rng(17)
GREY = RNG.integers(0, 256, (6, 28, 28), np.uint8)
COLOUR = RNG.integers(0, 256, (3, 28, 28, 3), np.uint8)


def save(path: Path, *, compressed: bool = True, **arrays: np.ndarray) -> Path:
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


@pytest.mark.parametrize("compressed", [True, False])
def test_parts_and_numbers(tmp_path: Path, compressed: bool) -> None:
    labels = np.zeros((6, 1), np.uint8)
    path = save(
        tmp_path / "a.npz", compressed=compressed, train_images=GREY, train_labels=labels, test_images=GREY[:2] // 2
    )
    assert sniff(path) == "npz"
    assert fragments(path) == [f"train/{k}" for k in range(6)] + ["test/0", "test/1"]
    image = read(path, fragment="train/5")
    np.testing.assert_array_equal(image.pixels, GREY[5])
    assert image.sha256 == hashlib.sha256(GREY[5].tobytes()).hexdigest()
    np.testing.assert_array_equal(read(path, fragment="test/1").pixels, GREY[1] // 2)
    np.testing.assert_array_equal(read(path).pixels, GREY[0])


def test_colour_and_grey_saved_in_colour(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", train_images=COLOUR, val_images=np.stack([GREY] * 3, axis=-1))
    np.testing.assert_array_equal(read(path, fragment="train/2").pixels, COLOUR[2])
    np.testing.assert_array_equal(read(path, fragment="val/2").pixels, GREY[2])


def test_a_single_channel_is_grey(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", train_images=GREY[..., None], test_images=COLOUR)
    image = read(path, fragment="train/2")
    np.testing.assert_array_equal(image.pixels, GREY[2])
    assert (image.photometric, image.header["channels_in_file"]) == ("MONOCHROME2", 1)
    np.testing.assert_array_equal(read(path, fragment="test/1").pixels, COLOUR[1])


@pytest.mark.parametrize(
    ("dtype", "value_range"), [(np.uint16, (0, 65535)), (np.int16, (-32768, 32767)), (np.float32, (0, 1))]
)
def test_types(tmp_path: Path, dtype: type, value_range: tuple[float, float]) -> None:
    image = read(save(tmp_path / "a.npz", train_images=GREY.astype(dtype)))
    assert (image.pixels.dtype, image.value_range) == (dtype, value_range)


def test_an_archive_is_unpacked_once_and_again_after_a_change(tmp_path: Path, monkeypatch) -> None:
    loads = []
    original = npz._load
    monkeypatch.setattr(npz, "_load", lambda *args: loads.append(args) or original(*args))
    path = save(tmp_path / "a.npz", train_images=GREY)
    for name in fragments(path):
        read(path, fragment=name)
    assert len(loads) == 1
    save(path, train_images=255 - GREY)
    os.utime(path, ns=(1, 1))
    np.testing.assert_array_equal(read(path).pixels, 255 - GREY[0])
    assert len(loads) == 2


def test_few_archives_are_kept(tmp_path: Path) -> None:
    for k in range(5):
        read(save(tmp_path / f"{k}.npz", train_images=GREY))
    assert len(npz._kept) <= npz.KEPT_ARCHIVES


@pytest.mark.parametrize("wrong", ["train/6", "train/-1", "val/0", "train", "12", "train/x"])
def test_fragments_that_do_not_exist(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ReadError, match="train"):
        read(save(tmp_path / "a.npz", train_images=GREY), fragment=wrong)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 3)), "expected"),
        (np.zeros((2, 8, 8), np.int64), "expected"),
        (np.zeros((2, 8, 8, 4), np.uint8), "expected"),
        (np.zeros((2, 0, 8), np.uint8), "shape"),
        (np.array([[["a", None]]], dtype=object), "expected"),
    ],
)
def test_arrays_that_are_no_images(tmp_path: Path, array: np.ndarray, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        read(save(tmp_path / "a.npz", train_images=array))


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no images of the MedMNIST kind"):
        read(save(tmp_path / "a.npz", weights=GREY))


def test_an_empty_part_has_no_first_image(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", train_images=GREY[:0])
    assert fragments(path) == []
    with pytest.raises(ReadError, match="holds 0 images"):
        read(path)


def test_a_bomb_hits_its_limit(tmp_path: Path, monkeypatch) -> None:
    path = save(tmp_path / "a.npz", train_images=np.zeros((5000, 64, 64), np.uint8))
    monkeypatch.setattr("evenray.images.readers._limits.LIMITS", dataclasses.replace(LIMITS, array_bytes=2**20))
    with pytest.raises(ReadError, match="limit 'array_bytes'"):
        read(path)


def test_a_header_that_promises_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save(path, train_images=GREY)
    with zipfile.ZipFile(path) as archive:
        member = archive.read("train_images.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train_images.npy", member[:-100])
    with pytest.raises(ReadError, match="incomplete"):
        read(path)
