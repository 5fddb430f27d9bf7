"""Pictures: JPEG, PNG, TIFF, BMP, PGM and PPM, with as many channels and bits as the file had, and what it said of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.images.readers._orientation import turned
from evenray.images.readers.raster_png import picture_only, png_orientation

from . import raster_jpeg, raster_png, raster_tiff

__all__ = ["write"]

JPEG_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


def write(source: Path, target: Path, images: Mapping[str, Image], note: str) -> None:
    """One picture, or all pages of a TIFF; JPEG in quality 95.

    What a PNG, JPEG, TIFF or BMP says beside its pixels stays where it holds for the new ones: its bytes are carried
    over, nothing is decoded or packed anew for it.
    """
    first = next(iter(images.values()))
    kind, before = str(first.header["format"]), source.read_bytes()
    if kind == "tiff":
        pieces = raster_tiff.copied(source, before, list(images.values()))
    elif kind == "png":
        pieces = raster_png.copied(before, _png(first, before))
    elif kind == "jpeg":
        pieces = raster_jpeg.copied(before, _encoded(".jpeg", _in_colour(first), JPEG_QUALITY))
    elif kind == "bmp":
        pieces = [_with_resolution(before, _encoded(".bmp", _in_colour(first)))]
    else:
        pieces = [_portable(first)]
    with target.open("wb") as out:
        out.writelines(pieces)


def _encoded(ending: str, pixels: NDArray[Any], options: list[int] | None = None) -> bytes:
    """(H, W), RGB or RGBA as a file of the kind."""
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    return bytes(cv2.imencode(ending, np.ascontiguousarray(pixels), options or [])[1].data)


def _in_colour(image: Image) -> NDArray[Any]:
    """Grey or RGB as the file had it: the reader makes grey of colours that are none."""
    colour = int(image.header.get("channels_in_file", image.channels)) >= 3
    if colour and image.channels == 1:
        return np.repeat(image.pixels[..., None], 3, axis=2)
    return image.pixels if colour or image.channels == 1 else cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY)


def _png(image: Image, before: bytes) -> bytes:
    if "alpha" not in image.header:
        return _encoded(".png", _in_colour(image))
    stored = np.asarray(cv2.imdecode(np.frombuffer(picture_only(before), np.uint8), cv2.IMREAD_UNCHANGED))
    alpha = turned(stored[..., -1], png_orientation(before))
    if image.channels == 1 and raster_png.is_grey(before):
        return raster_png.grey_with_alpha(image.pixels, alpha)
    return _encoded(".png", np.dstack([_in_colour(image), alpha]))


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


def _portable(image: Image) -> bytes:
    """Binary PGM or PPM with the white of the file, which need not be that of the dtype."""
    pixels = _in_colour(image)
    kind, (rows, columns) = "P5" if pixels.ndim == 2 else "P6", image.shape
    head = f"{kind}\n{columns} {rows}\n{round(image.value_range[1])}\n".encode()
    return head + pixels.astype(">u2" if pixels.itemsize == 2 else np.uint8).tobytes()
