"""What every registered reader has to do, whatever its format; at the end the suite is shown to bite.

A reader added to the registry needs a specimen in `specimens`: small files of known pixels.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from evenray.core.errors import ReadError, UsageError
from evenray.core.types import Image
from evenray.images import readers

RNG = np.random.default_rng(19)
GREY8 = RNG.integers(0, 256, (24, 18), np.uint8)
GREY12 = RNG.integers(0, 4096, (24, 18)).astype(np.uint16)


@dataclass(frozen=True)
class Specimen:
    """A file of known pixels: its bytes, what it holds, and the first picture in it."""

    data: bytes
    pixels: np.ndarray
    value_range: tuple[float, float]
    fragments: tuple[str, ...] = ("",)
    own_bytes: bool = False  # the SHA-256 is that of the pixels, because the file holds many pictures


def _npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def specimens(make_dicom) -> dict[str, list[Specimen]]:
    volume = np.stack([GREY12.astype(np.int16), GREY12.astype(np.int16) // 2])
    nifti = nib.Nifti1Image(volume.transpose(2, 1, 0), np.diag([-1.0, -1, 1, 1])).to_bytes()
    slices = ("slice=0", "slice=1")
    dicom = {
        "explicit": {"BitsStored": 12},
        "implicit": {"BitsStored": 12, "TransferSyntaxUID": ImplicitVRLittleEndian},
    }
    pictures = [cv2.imencode(f".{kind}", GREY8)[1].tobytes() for kind in ("png", "tiff", "bmp", "pgm")]
    jpeg = cv2.imencode(".jpg", cv2.GaussianBlur(GREY8, (5, 5), 0))[1]
    return {
        "dicom": [Specimen(make_dicom(GREY12, **how).read_bytes(), GREY12, (0, 4095)) for how in dicom.values()],
        "raster": [Specimen(data, GREY8, (0, 255)) for data in pictures]
        + [Specimen(jpeg.tobytes(), cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), (0, 255))],
        "nifti": [
            Specimen(data, volume[0], (float(volume.min()), float(volume.max())), slices)
            for data in (nifti, gzip.compress(nifti, mtime=0))
        ],
        "npz": [Specimen(_npz(train_images=volume), volume[0], (-32768, 32767), ("train/0", "train/1"), True)],
    }


ALL = pytest.mark.parametrize("name", list(readers.readers))


def for_each(name: str, specimens: dict[str, list[Specimen]], folder: Path, check: Callable[..., None]) -> None:
    assert name in specimens, f"the reader '{name}' has no specimen in this file"
    for number, specimen in enumerate(specimens[name]):
        path = folder / f"{name}_{number}.xyz"  # the extension must not matter
        path.write_bytes(specimen.data)
        check(name, path, specimen)


def known_pixels(name: str, path: Path, specimen: Specimen) -> None:
    assert readers.sniff(path) == name
    assert readers.fragments(path) == list(specimen.fragments)
    for fragment in ("", specimen.fragments[0]):
        image = readers.read(path, fragment=fragment)
        np.testing.assert_array_equal(image.pixels, specimen.pixels)
        assert image.value_range == specimen.value_range
        assert image.pixels.flags.c_contiguous
    own = specimen.pixels.tobytes() if specimen.own_bytes else specimen.data
    assert image.sha256 == hashlib.sha256(own).hexdigest()
    assert {"format", "channels_in_file", "bits_allocated", "range_from"} <= set(image.header)


def every_fragment_differs_and_reads(name: str, path: Path, specimen: Specimen) -> None:
    images = [readers.read(path, fragment=fragment) for fragment in specimen.fragments]
    assert len({image.pixels.tobytes() for image in images}) == len(specimen.fragments)
    with pytest.raises(ReadError, match="no 'nonsense=1'"):
        readers.read(path, fragment="nonsense=1")


def truncation_is_an_error(name: str, path: Path, specimen: Specimen) -> None:
    """Cut anywhere, a file is refused with its name and a cause that a person understands."""
    whole = specimen.data
    for share in (0.05, 0.3, 0.5, 0.75, 0.95, 0.995):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ReadError) as caught:
            readers.read(path, fragment=specimen.fragments[-1])
        assert str(path) in str(caught.value)
        assert any(word in caught.value.reason for word in ("truncated", "damaged", "not finished", "not an image"))
        assert "Error" not in caught.value.reason.replace("Error)", "")
    path.write_bytes(whole)


def levels_can_be_told(name: str, path: Path, specimen: Specimen) -> None:
    image = readers.read(path, value_range=(0, 1000))
    assert (image.value_range, image.header["range_from"]) == ((0, 1000), "asked for")
    np.testing.assert_array_equal(image.pixels, specimen.pixels)
    for wrong in (
        {"value_range": (3, 1)},
        {"value_range": (0, float("nan"))},
        {"window": "nosuch"},
        {"window": (1, -1)},
    ):
        with pytest.raises(UsageError):
            readers.read(path, **wrong)


def reading_twice_is_the_same(name: str, path: Path, specimen: Specimen) -> None:
    first, second = readers.read(path), readers.read(path)
    assert (first.value_range, first.sha256, dict(first.header)) == (
        second.value_range,
        second.sha256,
        dict(second.header),
    )
    first.pixels.fill(0)  # what one caller does to its pixels, another does not see
    np.testing.assert_array_equal(readers.read(path).pixels, specimen.pixels)
    assert path.read_bytes() == specimen.data


def identities_are_of_their_type(name: str, path: Path, specimen: Specimen) -> None:
    assert isinstance(readers.identity(path), readers.Identity)


CHECKS = [
    known_pixels,
    every_fragment_differs_and_reads,
    truncation_is_an_error,
    levels_can_be_told,
    reading_twice_is_the_same,
    identities_are_of_their_type,
]


@ALL
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_reader(name: str, check: Callable[..., None], specimens, tmp_path: Path) -> None:
    for_each(name, specimens, tmp_path, check)


@ALL
def test_a_reader_module_has_its_four_functions(name: str) -> None:
    module = sys.modules[readers.readers[name].__module__]
    assert all(callable(getattr(module, verb)) for verb in ("sniff", "read", "fragments", "identity"))
    assert set(readers.readers.parameters(name)) == {"fragment", "value_range", "window"}


@ALL
def test_formats_do_not_claim_each_others_files(name: str, specimens, tmp_path: Path) -> None:
    for specimen in specimens[name]:
        claims = [other for other in readers.readers if readers._function(other, "sniff")(specimen.data[:4096])]
        assert claims == [name]


# A reader that is right, and one way after the other to make it wrong.


def _planted(**faults: Any) -> types.ModuleType:
    """A reader of files that start with "PLANTED": 8 x 8 bytes follow."""
    module = types.ModuleType("planted")

    def read(source: Any, fragment: str = "", value_range: Any = None, window: Any = "header") -> Image:
        body = source.data[7:]
        if len(body) < 64:
            raise ReadError(source.path, "is truncated")
        if fragment not in ("", *fragments(source)):
            raise ReadError(source.path, f"has no '{fragment}'")
        header = {"format": "planted", "channels_in_file": 1, "bits_allocated": 8}
        header["range_from"] = "asked for" if value_range else "dtype"
        pixels = np.frombuffer(body[:64], np.uint8).reshape(8, 8)
        return Image(pixels, value_range or (0.0, 255.0), sha256=source.sha256, header=header)

    def fragments(source: Any) -> list[str]:
        return [""]

    module.sniff = lambda head: head.startswith(b"PLANTED"[: max(1, min(7, len(head)))])
    module.read, module.fragments, module.identity = read, fragments, lambda source: readers.Identity()
    for verb, fault in faults.items():
        setattr(module, verb, fault(getattr(module, verb)))
    module.read.__module__ = "planted"
    return module


def _plant(monkeypatch, module: types.ModuleType) -> None:
    monkeypatch.setitem(sys.modules, "planted", module)
    monkeypatch.setitem(readers.readers.table, "planted", "planted:read")


PIXELS = np.arange(64, dtype=np.uint8).reshape(8, 8)
PLANTED = {"planted": [Specimen(b"PLANTED" + PIXELS.tobytes(), PIXELS, (0.0, 255.0))]}


def _greying(read: Callable[..., Image]) -> Callable[..., Image]:
    def faulty(source: Any, *args: Any, **kwargs: Any) -> Image:
        source = types.SimpleNamespace(path=source.path, sha256=source.sha256, data=source.data.ljust(71, b"\x80"))
        return read(source, *args, **kwargs)

    return faulty


def _with(**changes: Any) -> Callable[..., Any]:
    def fault(read: Callable[..., Image]) -> Callable[..., Image]:
        return lambda *args, **kwargs: replace(
            image := read(*args, **kwargs), **{key: value(image) for key, value in changes.items()}
        )

    return fault


def _deaf(read: Callable[..., Image]) -> Callable[..., Image]:
    return lambda source, fragment="", value_range=None, window="header": read(source, "", value_range, window)


def _own_extremes(read: Callable[..., Image]) -> Callable[..., Image]:
    return _with(value_range=lambda image: (float(image.pixels.min()), float(image.pixels.max())))(read)


def test_a_sound_planted_reader_passes(monkeypatch, tmp_path: Path) -> None:
    _plant(monkeypatch, _planted())
    for check in CHECKS:
        for_each("planted", PLANTED, tmp_path, check)


@pytest.mark.parametrize(
    ("check", "faults"),
    [
        (known_pixels, {"read": _with(pixels=lambda image: 255 - image.pixels)}),
        (known_pixels, {"read": _with(pixels=lambda image: image.pixels.T)}),
        (known_pixels, {"read": _own_extremes}),
        (known_pixels, {"read": _with(sha256=lambda image: "")}),
        (known_pixels, {"sniff": lambda sniff: lambda head: False}),
        (known_pixels, {"fragments": lambda fragments: lambda source: []}),
        (every_fragment_differs_and_reads, {"read": _deaf}),
        (truncation_is_an_error, {"read": _greying}),
        (levels_can_be_told, {"read": _own_extremes}),
        (identities_are_of_their_type, {"identity": lambda identity: lambda source: {"name": "Yellow^Canary"}}),
    ],
)
def test_the_suite_bites(monkeypatch, tmp_path: Path, check: Callable[..., None], faults: dict[str, Any]) -> None:
    _plant(monkeypatch, _planted(**faults))
    with pytest.raises((AssertionError, ReadError, pytest.fail.Exception)):
        for_each("planted", PLANTED, tmp_path, check)


def test_whatever_a_reader_stumbles_over_becomes_a_read_error(monkeypatch, tmp_path: Path) -> None:
    def stumbling(error: Exception) -> Callable[..., Any]:
        def faulty(*args: Any, **kwargs: Any) -> Image:
            raise error

        return lambda read: faulty

    for error, reason in (
        (ValueError("Yellow^Canary"), r"is damaged: the planted decoder failed \(ValueError\)"),
        (MemoryError(), "more memory"),
    ):
        _plant(monkeypatch, _planted(read=stumbling(error)))
        path = tmp_path / "a"
        path.write_bytes(b"PLANTED")
        with pytest.raises(ReadError, match=reason) as caught:
            readers.read(path)
        assert "Canary" not in str(caught.value)
