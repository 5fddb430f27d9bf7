"""MedMNIST archives (.npz): train_images, val_images and test_images of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3)."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError
from evenray.core.types import Image

from ._colour import collapse
from ._identity import Identity
from ._limits import check
from ._source import Source
from ._window import ValueRange, Window, asked_range

__all__ = ["fragments", "identity", "images_of", "labels_of", "opened", "read", "sniff"]

Array = NDArray[Any]
KEPT_ARCHIVES = 2
UNIT = "0 to 1 for floats"
_SUFFIX = "_images"
_lock = threading.Lock()
_kept: OrderedDict[tuple[str, int, int], Archive] = OrderedDict()


@dataclasses.dataclass
class Archive:
    """The image arrays of one file, by part; each is unpacked on first use."""

    path: str
    arrays: dict[str, Array] = dataclasses.field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)

    def array(self, part: str) -> Array:
        """The images of a part, (N, H, W) or (N, H, W, 3)."""
        if part not in self.arrays:
            array = images_of(self.path, part)
            array = array.astype(array.dtype.newbyteorder("="), copy=False)
            self.arrays[part] = array[..., 0] if array.ndim == 4 and array.shape[3] == 1 else array
        return self.arrays[part]


def sniff(head: bytes) -> bool:
    """Whether a file is a ZIP archive whose first member is a NumPy array."""
    if not head.startswith(b"PK\x03\x04") or len(head) < 30:
        return False
    return head[30 : 30 + int.from_bytes(head[26:28], "little")].endswith(b".npy")


def read(source: Source, fragment: str = "", value_range: ValueRange | None = None, window: Window = "header") -> Image:
    """The image that "train/12" names; its SHA-256 is that of its own pixels' bytes, for the archive holds many."""
    archive = _archive(source)
    part, number = _place(source.path, fragment, archive)
    array = archive.array(part)
    if not 0 <= number < len(array):
        raise ReadError(source.path, f"has no '{fragment}'; {part} holds {len(array)} images")
    pixels = np.array(array[number])  # a copy: the archive's own stays as it is
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    header: dict[str, Any] = {
        "format": "npz",
        "channels_in_file": 1 if pixels.ndim == 2 else 3,
        "bits_allocated": pixels.itemsize * 8,
    }
    pixels = collapse(pixels) if pixels.ndim == 3 else pixels
    valid = None
    if pixels.dtype == np.float32:
        if not np.isfinite(pixels).all():
            valid = np.isfinite(pixels) if pixels.ndim == 2 else np.isfinite(pixels).all(axis=2)
            pixels = np.nan_to_num(pixels, nan=0, posinf=0, neginf=0)
        found, origin = (0.0, 1.0), UNIT
        header |= {"smallest_value": float(pixels.min()), "largest_value": float(pixels.max())}
    else:
        info = np.iinfo(pixels.dtype)
        found, origin = (float(info.min), float(info.max)), "dtype"
    asked = asked_range(value_range, window)
    header["range_from"] = "asked for" if asked else origin
    photometric = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    return Image(pixels, asked or found, valid, photometric, sha256=digest, header=header)


def _place(path: str, fragment: str, archive: Archive) -> tuple[str, int]:
    if not fragment:
        fragment = f"{next(iter(archive.shapes))}/0"
    part, _, number = fragment.partition("/")
    if part not in archive.shapes or not number.isdecimal() or len(number) > 12:
        first = next(iter(archive.shapes))
        raise ReadError(path, f"has no '{fragment}'; it holds {', '.join(archive.shapes)}: ask for '{first}/0'")
    return part, int(number)


def _archive(source: Source) -> Archive:
    """The archive of a file, opened once in this process; the two last used are kept."""
    stat = os.stat(source.path)  # noqa: PTH116
    key = (source.path, stat.st_mtime_ns, stat.st_size)
    with _lock:
        if key not in _kept:
            _kept[key] = _archive_of(source.path)
            while len(_kept) > KEPT_ARCHIVES:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


def _archive_of(path: str) -> Archive:
    archive = Archive(path)
    with opened(path) as file:
        for name in file.namelist():
            if name.endswith(f"{_SUFFIX}.npy"):
                archive.shapes[name[: -len(f"{_SUFFIX}.npy")]] = _shape(path, file, name)[0]
    if not archive.shapes:
        raise ReadError(path, "holds no images of the MedMNIST kind (train_images, val_images, test_images)")
    return archive


def opened(path: str) -> zipfile.ZipFile:
    """The archive, for reading; ReadError where its directory is damaged, or what it holds too much to unpack."""
    try:
        with Path(path).open("rb") as file:
            file.seek(-min(file.seek(0, os.SEEK_END), 65557), os.SEEK_END)
            tail = file.read()
        at = tail.rindex(b"PK\x05\x06")  # the end of the directory, 22 bytes and a comment; 46 bytes a member
        check(path, "header_elements", int.from_bytes(tail[at + 12 : at + 16], "little") // 46, "members at least")
        archive = zipfile.ZipFile(path)
        check(path, "array_bytes", sum(member.file_size for member in archive.infolist()), "bytes after unpacking")
        return archive
    except ReadError:
        raise
    except Exception:
        raise ReadError(path, "has no ZIP directory, or a damaged one; the file is truncated") from None


Header = tuple[tuple[int, ...], np.dtype[Any]]


def _header(path: str, file: zipfile.ZipFile, name: str) -> Header:
    """Shape and dtype of one member, by its header only."""
    try:
        with file.open(name) as member:
            version = np.lib.format.read_magic(member)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            shape, _, dtype = header(member)
    except Exception:
        raise ReadError(path, f"has {name.removesuffix('.npy')} whose header is damaged") from None
    if min(shape, default=0) < 0:
        raise ReadError(path, f"has {name.removesuffix('.npy')} of shape {shape}; the file is damaged")
    return shape, dtype


def _shape(path: str, file: zipfile.ZipFile, name: str) -> Header:
    """Shape and dtype of one array; ReadError unless they are those of images."""
    array = name.removesuffix(".npy")
    shape, dtype = _header(path, file, name)
    if dtype.newbyteorder("=") not in (np.uint8, np.uint16, np.int16, np.float32) or not (
        len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
    ):
        expected = "(N, H, W), (N, H, W, 1) or (N, H, W, 3) and of uint8, uint16, int16 or float32"
        raise ReadError(path, f"has {array} of shape {shape} and of {dtype}; expected {expected}: save them so")
    if min(shape[1:]) < 1:
        raise ReadError(path, f"has {array} of shape {shape}; expected one pixel or more: save them anew")
    check(path, "pixels", shape[1] * shape[2], "pixels")
    total = dtype.itemsize
    for size in shape:
        total *= size
    check(path, "array_bytes", total, f"bytes in {array}")
    return shape, dtype


def images_of(path: str, part: str) -> Array:
    """The images of a part, as they are stored."""
    return _load(path, part + _SUFFIX, _shape)


def labels_of(path: str, part: str) -> Array | None:
    """The labels of a part, whatever their dtype; None where it has none. ReadError for what is damaged, or too large."""
    with opened(path) as file:
        if f"{part}_labels.npy" not in file.namelist():
            return None
    return _load(path, f"{part}_labels", _label_shape)


def _label_shape(path: str, file: zipfile.ZipFile, name: str) -> Header:
    shape, dtype = _header(path, file, name)
    if dtype.hasobject:
        raise ReadError(path, f"has {name.removesuffix('.npy')} of Python objects; save them as numbers or text")
    count = math.prod(shape)
    check(path, "text_values", count, f"labels in {name}")
    check(path, "array_bytes", count * dtype.itemsize * 16, f"bytes, as text, in {name}")
    return shape, dtype


def _load(path: str, name: str, check_shape: Callable[[str, zipfile.ZipFile, str], Header]) -> Array:
    with opened(path) as file:
        shape, _ = check_shape(path, file, f"{name}.npy")
        try:
            with file.open(f"{name}.npy") as member:
                array: Array = np.lib.format.read_array(member, allow_pickle=False)
        except Exception:
            raise ReadError(path, f"has {name} that are incomplete or damaged") from None
    assert array.shape == shape
    return array


def fragments(source: Source) -> list[str]:
    """ "train/0", "train/1", ..., "val/0", ..., "test/0", ... in the order of the archive."""
    shapes = _archive(source).shapes
    return [f"{part}/{number}" for part, shape in shapes.items() for number in range(shape[0])]


def identity(source: Source) -> Identity:
    """A MedMNIST archive names nobody."""
    return Identity()
