"""Pictures: JPEG, PNG, TIFF, BMP, PGM and PPM, with as many channels and bits as the file had, and what it said of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.types import Image

from . import raster_jpeg, raster_png, raster_tiff

__all__ = ["write"]

JPEG_QUALITY = 95


def write(source: Path, target: Path, images: Mapping[str, Image], note: str) -> None:
    """One picture, or all pages of a TIFF; JPEG in quality 95.

    What a PNG, JPEG, TIFF or BMP says beside its pixels stays where it holds for the new ones (see `raster_png`,
    `raster_jpeg`, `raster_tiff`): its bytes are carried over, nothing is decoded or packed anew for it.
    """
    first = next(iter(images.values()))
    kind = str(first.header["format"])
    if kind in ("pgm", "ppm"):
        target.write_bytes(_portable(first))
        return
    before = raster_jpeg.opening(source) if kind == "jpeg" else source.read_bytes()
    places = raster_tiff.indices(before) if kind == "tiff" else [0]
    places += [-1] * (len(images) - len(places))
    pages = [_channels(image, before, place) for image, place in zip(images.values(), places, strict=False)]

    def encode(pixels: NDArray[Any], options: list[int]) -> bytes:
        done, data = cv2.imencode(f".{kind}", pixels, options)
        if not done:
            raise DataError(f"{source}: {pixels.dtype} pixels cannot be written as {kind}.")
        return bytes(data.data)

    with target.open("wb") as out:
        if kind == "tiff":
            out.writelines(raster_tiff.copied(before, pages, encode))
        elif kind == "png":
            alpha = pages[0][..., 3] if pages[0].ndim == 3 and pages[0].shape[2] == 4 else None
            if alpha is not None and first.channels == 1 and raster_png.is_grey(before):
                data = raster_png.grey_with_alpha(first.pixels, alpha)
            else:
                data = encode(pages[0], [])
            out.writelines(raster_png.copied(before, data))
        elif kind == "jpeg":
            out.writelines(raster_jpeg.copied(before, encode(pages[0], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])))
        else:
            out.write(_with_resolution(before, encode(pages[0], [])))


def _channels(image: Image, before: bytes, place: int) -> NDArray[Any]:
    """Pixels with the channels of the file, in OpenCV's order."""
    pixels, wanted = image.pixels, int(image.header.get("channels_in_file", image.channels))
    if wanted < 3:
        grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        return np.ascontiguousarray(grey if grey.dtype != np.float32 else _as_stored(grey, image, before, place))
    colour = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels[..., ::-1]
    stored = _stored(before, place) if "alpha" in image.header else None
    if stored is not None and stored.ndim == 3 and stored.shape[2] == 4:
        colour = np.dstack([colour, stored[..., 3]])
    return np.ascontiguousarray(colour)


def _stored(before: bytes, place: int) -> NDArray[Any] | None:
    """A page as the file has it; None where OpenCV cannot say."""
    data = np.frombuffer(before, np.uint8)
    if place > 0:
        found, pages = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED, range=(place, place + 1))
        return np.asarray(pages[0]) if found else None
    decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if place == 0 else None
    return None if decoded is None else np.asarray(decoded)


def _with_resolution(before: bytes, after: bytes) -> bytes:
    """The BMP `after` with the pixels per metre of `before`, where its header has room for them and they are sensible.

    >>> start = b"BM" + bytes(12) + b"\\x28" + bytes(23)
    >>> _with_resolution(start + struct.pack("<ii", 3000, 4000), start + bytes(8))[-8:] == struct.pack("<ii", 3000, 4000)
    True
    """
    if min(len(before), len(after)) < 46 or min(before[14], after[14]) < 40:
        return after
    sensible = min(struct.unpack_from("<ii", before, 38)) > 0
    return after[:38] + before[38:46] + after[46:] if sensible else after


def _as_stored(grey: NDArray[Any], image: Image, data: bytes, place: int) -> NDArray[Any]:
    """Numbers in the type that the file has, where that is no float32, and what is missing (NaN) as it was."""
    before = _stored(data, place)
    if before is None or before.shape != grey.shape:
        return grey
    if before.dtype.kind == "i":
        info = np.iinfo(before.dtype)
        grey = np.rint(grey.astype(np.float64)).clip(info.min, info.max)
    grey = grey.astype(before.dtype)
    return grey if image.valid is None else np.where(image.valid, grey, before)


def _portable(image: Image) -> bytes:
    """Binary PGM or PPM with the white of the file, which need not be that of the dtype."""
    kind = "P5" if image.pixels.ndim == 2 else "P6"
    rows, columns = image.shape
    head = f"{kind}\n{columns} {rows}\n{round(image.value_range[1])}\n".encode()
    return head + image.pixels.astype(">u2" if image.pixels.itemsize == 2 else np.uint8).tobytes()
